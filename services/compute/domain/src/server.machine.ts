/**
 * Every legal move of a server, once. A repository turns a row of this table into one compare-and-set; nothing else
 * writes vm_state, task_state or the desired power. A move that does not apply changes nothing and says so: the caller
 * (an operation, a flow that was overtaken by a delete) decides what that means.
 */
import type { DesiredPower, TaskState, VmState } from './server.js';

export interface Move {
  readonly from: readonly VmState[];
  /** Task states from which it is allowed; null is idle. */
  readonly task: readonly (TaskState | null)[];
  /** Unchanged where absent. */
  readonly to?: VmState;
  readonly toTask: TaskState | null;
  /** A change of what is desired raises the generation. */
  readonly power?: DesiredPower;
}

const ANY_VM: readonly VmState[] = ['building', 'active', 'stopped', 'error'];
const BUILDING: readonly (TaskState | null)[] = ['scheduling', 'networking', 'spawning'];
const ANY_TASK: readonly (TaskState | null)[] = [
  null,
  ...(BUILDING as readonly TaskState[]),
  'powering-on',
  'powering-off',
  'rebooting',
  'rebooting_hard',
  'deleting',
];
const NOT_DELETING = ANY_TASK.filter((task) => task !== 'deleting');

const table = <M extends Record<string, Move>>(moves: M): M => moves;

export const MOVES = table({
  // What a tenant asks for; the operation that makes the move inserts the task in the same transaction.
  start: { from: ['stopped'], task: [null], toTask: 'powering-on', power: 'running' },
  stop: { from: ['active', 'error'], task: [null], toTask: 'powering-off', power: 'stopped' },
  rebootSoft: { from: ['active'], task: [null], toTask: 'rebooting', power: 'running' },
  rebootHard: {
    from: ['active', 'stopped', 'error'],
    task: [null],
    toTask: 'rebooting_hard',
    power: 'running',
  },
  remove: { from: ANY_VM, task: NOT_DELETING, toTask: 'deleting', power: 'absent' },
  // An administrator's word; what runs is not touched.
  resetToActive: { from: ANY_VM, task: ANY_TASK, to: 'active', toTask: null },
  resetToError: { from: ANY_VM, task: ANY_TASK, to: 'error', toTask: null },

  // The steps of server.create.
  scheduled: { from: ['building'], task: BUILDING, toTask: 'networking' },
  networked: { from: ['building'], task: BUILDING, toTask: 'spawning' },
  /** Back to the start on an alternate node. */
  rescheduled: { from: ['building'], task: BUILDING, toTask: 'scheduling' },
  /** Activated at the moment when its making was called off. */
  deactivated: { from: ['active'], task: [null], to: 'building', toTask: 'spawning' },
  activated: { from: ['building'], task: BUILDING, to: 'active', toTask: null },
  failed: { from: ['building'], task: [...BUILDING, null], to: 'error', toTask: null, power: 'absent' },

  // Its node came back without it: it is started again.
  revive: { from: ['active'], task: [null], toTask: 'powering-on', power: 'running' },

  // The outcomes of start, stop and reboot.
  started: { from: ['stopped', 'active', 'error'], task: ['powering-on'], to: 'active', toTask: null },
  stopped: { from: ['active', 'stopped', 'error'], task: ['powering-off'], to: 'stopped', toTask: null },
  rebooted: {
    from: ['active', 'stopped', 'error'],
    task: ['rebooting', 'rebooting_hard'],
    to: 'active',
    toTask: null,
  },
  /** The operation could not be done and the server is as it was. */
  startGivenUp: { from: ['stopped'], task: ['powering-on'], toTask: null, power: 'stopped' },
  stopGivenUp: { from: ['active', 'error'], task: ['powering-off'], toTask: null, power: 'running' },
  rebootGivenUp: { from: ['active', 'stopped', 'error'], task: ['rebooting', 'rebooting_hard'], toTask: null },
  /** The operation left the server broken. */
  broken: {
    from: ['active', 'stopped', 'error'],
    task: ['powering-on', 'powering-off', 'rebooting', 'rebooting_hard', null],
    to: 'error',
    toTask: null,
  },

  // What a node reports by itself while nothing is under way.
  seenStopped: { from: ['active'], task: [null], to: 'stopped', toTask: null, power: 'stopped' },
  seenRunning: { from: ['stopped'], task: [null], to: 'active', toTask: null, power: 'running' },
});

export type MoveName = keyof typeof MOVES;

/** True when the move is legal for a server in these states. */
export function allows(move: MoveName, state: { vmState: VmState; taskState: TaskState | null }): boolean {
  const { from, task }: Move = MOVES[move];
  return from.includes(state.vmState) && task.includes(state.taskState);
}
