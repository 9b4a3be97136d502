/** Nova's statuses: a word for each pair of vm_state and task_state, and back. */
import { type Server, TASK_STATES, type TaskState, type VmState } from '#services/compute/domain';

const PLAIN: Readonly<Record<VmState, string>> = {
  building: 'BUILD',
  active: 'ACTIVE',
  stopped: 'SHUTOFF',
  paused: 'PAUSED',
  suspended: 'SUSPENDED',
  rescued: 'RESCUE',
  resized: 'VERIFY_RESIZE',
  shelved: 'SHELVED',
  shelved_offloaded: 'SHELVED_OFFLOADED',
  error: 'ERROR',
  deleted: 'DELETED',
};

/** Task states that show as a status of their own, by vm_state. */
const BUSY: Readonly<Partial<Record<VmState, Readonly<Partial<Record<TaskState, string>>>>>> = {
  active: {
    rebooting: 'REBOOT',
    rebooting_hard: 'HARD_REBOOT',
    updating_password: 'PASSWORD',
    rebuilding: 'REBUILD',
    resize_prep: 'RESIZE',
  },
  stopped: { rebooting_hard: 'HARD_REBOOT', rebuilding: 'REBUILD', resize_prep: 'RESIZE' },
  paused: { rebooting_hard: 'HARD_REBOOT' },
  suspended: { rebooting_hard: 'HARD_REBOOT' },
  resized: { resize_reverting: 'REVERT_RESIZE' },
  error: { rebooting_hard: 'HARD_REBOOT', rebuilding: 'REBUILD' },
};

export function statusOf(server: Pick<Server, 'vmState' | 'taskState'>): string {
  const busy = server.taskState === null ? undefined : BUSY[server.vmState]?.[server.taskState];
  return busy ?? PLAIN[server.vmState];
}

/** Statuses that this API knows but no server is ever in. */
const NEVER = new Set(['MIGRATING', 'SOFT_DELETED', 'UNKNOWN']);

export const isStatus = (word: string): boolean =>
  NEVER.has(word) || Object.values(PLAIN).includes(word) || statesOf([word]).length > 0;

/** The states behind some statuses; none for a word that is no status. */
export function statesOf(words: readonly string[]): { vmStates: VmState[]; tasks?: (TaskState | null)[] }[] {
  return words.flatMap((word) => [...plainStates(word), ...busyStates(word)]);
}

function plainStates(word: string): { vmStates: VmState[]; tasks?: (TaskState | null)[] }[] {
  return (Object.keys(PLAIN) as VmState[])
    .filter((vmState) => PLAIN[vmState] === word)
    .map((vmState) => {
      const busy = BUSY[vmState];
      return busy ? { vmStates: [vmState], tasks: tasksBeside(Object.keys(busy)) } : { vmStates: [vmState] };
    });
}

const TASKS: readonly (TaskState | null)[] = [null, ...TASK_STATES];
const tasksBeside = (names: readonly string[]): (TaskState | null)[] =>
  TASKS.filter((task) => task === null || !names.includes(task));

function busyStates(word: string): { vmStates: VmState[]; tasks: TaskState[] }[] {
  return (Object.entries(BUSY) as [VmState, Partial<Record<TaskState, string>>][]).flatMap(([vmState, tasks]) => {
    const named = (Object.keys(tasks) as TaskState[]).filter((task) => tasks[task] === word);
    return named.length ? [{ vmStates: [vmState], tasks: named }] : [];
  });
}
