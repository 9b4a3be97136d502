/**
 * Every legal move of a server, once. A repository turns a row of this table into one compare-and-set; nothing else
 * writes vm_state, task_state or the desired power. A move that does not apply changes nothing and says so: the caller
 * (an operation, a flow that was overtaken by a delete) decides what that means.
 */
import { type DesiredPower, TASK_STATES, type TaskState, type VmState } from './server.js';

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

const LAUNCHED: readonly VmState[] = [
  'active',
  'stopped',
  'paused',
  'suspended',
  'rescued',
  'resized',
  'shelved',
  'shelved_offloaded',
  'error',
];
const ANY_VM: readonly VmState[] = ['building', ...LAUNCHED];
const BUILDING: readonly TaskState[] = ['scheduling', 'networking', 'spawning'];
const ANY_TASK: readonly (TaskState | null)[] = [null, ...TASK_STATES];
const NOT_DELETING = ANY_TASK.filter((task) => task !== 'deleting');
/** What goes on with a server that has been launched. */
const OPERATING = TASK_STATES.filter((task) => task !== 'deleting' && !BUILDING.includes(task));
const IDLE: readonly null[] = [null];
/** What a hard reboot cuts short: whatever waits for a guest that may never answer. */
const OVERTAKEN: readonly TaskState[] = [
  'rebooting',
  'rebooting_hard',
  'pausing',
  'unpausing',
  'suspending',
  'resuming',
];
/** With a disk of which an image can be made. */
const IMAGED: readonly VmState[] = ['active', 'stopped', 'paused', 'suspended'];

const table = <M extends Record<string, Move>>(moves: M): M => moves;

/** What a tenant asks for; the operation that makes the move inserts the task in the same transaction. */
const asked = table({
  start: { from: ['stopped'], task: IDLE, toTask: 'powering-on', power: 'running' },
  stop: { from: ['active', 'error'], task: IDLE, toTask: 'powering-off', power: 'stopped' },
  rebootSoft: { from: ['active'], task: IDLE, toTask: 'rebooting', power: 'running' },
  rebootHard: {
    from: ['active', 'stopped', 'paused', 'suspended', 'error'],
    task: [null, ...OVERTAKEN],
    toTask: 'rebooting_hard',
    power: 'running',
  },
  pause: { from: ['active'], task: IDLE, toTask: 'pausing', power: 'paused' },
  unpause: { from: ['paused'], task: IDLE, toTask: 'unpausing', power: 'running' },
  suspend: { from: ['active'], task: IDLE, toTask: 'suspending', power: 'suspended' },
  resume: { from: ['suspended'], task: IDLE, toTask: 'resuming', power: 'running' },
  rebuild: { from: ['active', 'stopped', 'error'], task: IDLE, toTask: 'rebuilding' },
  rescue: { from: ['active', 'stopped', 'error'], task: IDLE, toTask: 'rescuing', power: 'running' },
  unrescue: { from: ['rescued'], task: IDLE, toTask: 'unrescuing', power: 'running' },
  resize: { from: ['active', 'stopped'], task: IDLE, toTask: 'resize_prep' },
  confirmResize: { from: ['resized'], task: IDLE, toTask: 'resize_confirming' },
  revertResize: { from: ['resized'], task: IDLE, toTask: 'resize_reverting' },
  createImage: { from: IMAGED, task: IDLE, toTask: 'image_snapshot' },
  createBackup: { from: IMAGED, task: IDLE, toTask: 'image_backup' },
  /** What comes of it is the guest's: nothing that is shown changes, and the task alone keeps others away. */
  triggerCrashDump: { from: ['active', 'paused', 'rescued', 'resized', 'error'], task: IDLE, toTask: null },
  changePassword: { from: ['active'], task: IDLE, toTask: 'updating_password' },
  shelve: { from: IMAGED, task: IDLE, toTask: 'shelving' },
  shelveOffload: { from: ['shelved'], task: IDLE, toTask: 'shelving_offloading', power: 'absent' },
  unshelve: { from: ['shelved', 'shelved_offloaded'], task: IDLE, toTask: 'unshelving', power: 'running' },
  /** Nothing that is shown changes; the task alone keeps others away. */
  changeInterfaces: { from: ['active', 'paused', 'stopped'], task: IDLE, toTask: null },
  remove: { from: ANY_VM, task: NOT_DELETING, toTask: 'deleting', power: 'absent' },
  // An administrator's word; what runs is not touched.
  resetToActive: { from: ANY_VM, task: ANY_TASK, to: 'active', toTask: null },
  resetToError: { from: ANY_VM, task: ANY_TASK, to: 'error', toTask: null },
});

/** The steps of server.create. */
const making = table({
  scheduled: { from: ['building'], task: BUILDING, toTask: 'networking' },
  networked: { from: ['building'], task: BUILDING, toTask: 'spawning' },
  /** Back to the start on an alternate node. */
  rescheduled: { from: ['building'], task: BUILDING, toTask: 'scheduling' },
  /** Activated at the moment when its making was called off. */
  deactivated: { from: ['active'], task: IDLE, to: 'building', toTask: 'spawning' },
  activated: { from: ['building'], task: BUILDING, to: 'active', toTask: null },
  failed: { from: ['building'], task: [...BUILDING, null], to: 'error', toTask: null, power: 'absent' },
});

/** Operations that came to their end. */
const ended = table({
  started: { from: ['stopped', 'active', 'error'], task: ['powering-on'], to: 'active', toTask: null },
  /** One that came back to where it was. */
  revived: { from: ['resized', 'rescued'], task: ['powering-on'], toTask: null },
  stopped: { from: ['active', 'stopped', 'error'], task: ['powering-off'], to: 'stopped', toTask: null },
  rebooted: {
    from: ['active', 'stopped', 'paused', 'suspended', 'error'],
    task: ['rebooting', 'rebooting_hard'],
    to: 'active',
    toTask: null,
  },
  paused: { from: ['active'], task: ['pausing'], to: 'paused', toTask: null },
  unpaused: { from: ['paused'], task: ['unpausing'], to: 'active', toTask: null },
  suspended: { from: ['active'], task: ['suspending'], to: 'suspended', toTask: null },
  rebuilt: { from: ['active', 'stopped', 'error'], task: ['rebuilding'], to: 'active', toTask: null, power: 'running' },
  rebuiltStopped: { from: ['stopped'], task: ['rebuilding'], to: 'stopped', toTask: null },
  rescued: { from: ['active', 'stopped', 'error'], task: ['rescuing'], to: 'rescued', toTask: null },
  resized: { from: ['active', 'stopped'], task: ['resize_prep'], to: 'resized', toTask: null },
  confirmed: { from: ['resized'], task: ['resize_confirming'], to: 'active', toTask: null, power: 'running' },
  confirmedStopped: { from: ['resized'], task: ['resize_confirming'], to: 'stopped', toTask: null, power: 'stopped' },
  reverted: { from: ['resized'], task: ['resize_reverting'], to: 'active', toTask: null, power: 'running' },
  revertedStopped: { from: ['resized'], task: ['resize_reverting'], to: 'stopped', toTask: null, power: 'stopped' },
  unrescued: { from: ['rescued'], task: ['unrescuing'], to: 'active', toTask: null },
  resumed: { from: ['suspended'], task: ['resuming'], to: 'active', toTask: null },
  passwordChanged: { from: ['active'], task: ['updating_password'], toTask: null },
  imaged: { from: IMAGED, task: ['image_snapshot', 'image_backup'], toTask: null },
  shelved: { from: IMAGED, task: ['shelving'], to: 'shelved', toTask: null, power: 'stopped' },
  offloaded: { from: ['shelved'], task: ['shelving_offloading'], to: 'shelved_offloaded', toTask: null },
  unshelved: { from: ['shelved', 'shelved_offloaded'], task: ['unshelving'], to: 'active', toTask: null },
});

/** Operations that could not be done: the server is as it was, or broken. */
const givenUp = table({
  startGivenUp: { from: ['stopped'], task: ['powering-on'], toTask: null, power: 'stopped' },
  stopGivenUp: { from: ['active', 'error'], task: ['powering-off'], toTask: null, power: 'running' },
  /** It runs: also where it did not before. */
  rebootGivenUp: {
    from: ['active', 'stopped', 'error'],
    task: ['rebooting', 'rebooting_hard'],
    toTask: null,
  },
  pauseGivenUp: { from: ['active'], task: ['pausing'], toTask: null, power: 'running' },
  unpauseGivenUp: { from: ['paused'], task: ['unpausing'], toTask: null, power: 'paused' },
  suspendGivenUp: { from: ['active'], task: ['suspending'], toTask: null, power: 'running' },
  resumeGivenUp: { from: ['suspended'], task: ['resuming'], toTask: null, power: 'suspended' },
  /** It ended while something else was asked of it. */
  foundStopped: {
    from: ['active', 'paused', 'suspended'],
    task: ['pausing', 'unpausing', 'suspending', 'resuming'],
    to: 'stopped',
    toTask: null,
    power: 'stopped',
  },
  passwordGivenUp: { from: ['active'], task: ['updating_password'], toTask: null },
  imageGivenUp: { from: IMAGED, task: ['image_snapshot', 'image_backup'], toTask: null },
  shelveGivenUp: { from: IMAGED, task: ['shelving'], toTask: null },
  offloadGivenUp: { from: ['shelved'], task: ['shelving_offloading'], toTask: null, power: 'stopped' },
  /** Back on the shelf, on its node or on none. */
  unshelveGivenUp: { from: ['shelved'], task: ['unshelving'], toTask: null, power: 'stopped' },
  unplacedGivenUp: { from: ['shelved_offloaded'], task: ['unshelving'], toTask: null, power: 'absent' },
  /** Also one that was resized at the moment when its resize was called off. */
  resizeGivenUp: { from: ['active', 'resized'], task: ['resize_prep', null], to: 'active', toTask: null },
  resizeGivenUpStopped: { from: ['stopped', 'resized'], task: ['resize_prep', null], to: 'stopped', toTask: null },
  broken: { from: LAUNCHED, task: [...OPERATING, null], to: 'error', toTask: null },
});

/** What a node reports by itself while nothing is under way, and what follows from it. */
const observed = table({
  /** Its node came back without it: it is started again. */
  revive: { from: ['active', 'resized', 'rescued'], task: IDLE, toTask: 'powering-on', power: 'running' },
  seenStopped: { from: ['active', 'paused', 'suspended'], task: IDLE, to: 'stopped', toTask: null, power: 'stopped' },
  seenRunning: { from: ['stopped', 'paused', 'suspended'], task: IDLE, to: 'active', toTask: null, power: 'running' },
  /** Its node's administrator wrote its memory to the disk. */
  seenSuspended: { from: ['active', 'paused'], task: IDLE, to: 'suspended', toTask: null, power: 'suspended' },
});

/** With which operations begin. */
export const ASKED_MOVES = Object.keys(asked) as (keyof typeof asked)[];

export const MOVES = { ...asked, ...making, ...ended, ...givenUp, ...observed };

export type MoveName = keyof typeof MOVES;

/** True when the move is legal for a server in these states. */
export function allows(move: MoveName, state: { vmState: VmState; taskState: TaskState | null }): boolean {
  const { from, task }: Move = MOVES[move];
  return from.includes(state.vmState) && task.includes(state.taskState);
}
