/** What is to be done about a server that is not as it should be, while no operation is at work on it. Pure. */
import type { DesiredPower, ServerReport, TaskState, VmState } from '#services/compute/domain';

/** What the books say of one server on one node. */
export interface Standing {
  readonly serverId: string;
  readonly node: string;
  /** Undefined where the server's row is gone. */
  readonly vmState: VmState | undefined;
  readonly taskState: TaskState | null;
  readonly desired: DesiredPower;
  readonly confirmed: boolean;
  readonly power: ServerReport['power'] | undefined;
  /** The power changed by itself, as the node saw it happen. */
  readonly event: boolean;
}

export type Decision =
  /** The guest ended by itself: that is what its owner wanted. */
  | 'seenStopped'
  /** The guest runs without our having asked. */
  | 'seenRunning'
  /** Its memory is on the disk without our having asked. */
  | 'seenSuspended'
  /** The guest was lost with its node, or its domain is: it is started again. */
  | 'revive'
  /** The node has to be told once more that the server shall be gone. */
  | 'clear'
  | 'nothing';

export function decide(standing: Standing): Decision {
  const { vmState, taskState, desired, power, event, confirmed } = standing;
  if (desired === 'absent') return confirmed ? 'nothing' : 'clear';
  if (power === undefined || taskState !== null) return 'nothing';
  const isOff = power === 'stopped' || power === 'crashed';
  if (vmState === 'active' && (isOff || power === 'absent')) return decideOff(isOff && event, desired);
  if (vmState === 'resized' || vmState === 'rescued') return decideKept(power, event, desired);
  if (vmState === 'active' && power === 'suspended') return 'seenSuspended';
  if (vmState === 'stopped' && power === 'running') return 'seenRunning';
  if (vmState === 'paused' || vmState === 'suspended') return decideStill(vmState, power);
  return 'nothing';
}

/** One that was to be off, and was called active by an administrator, is what it is. */
const decideOff = (seen: boolean, desired: DesiredPower): Decision =>
  seen || desired === 'stopped' ? 'seenStopped' : 'revive';

/** In a state that waits for its owner: started again where it was lost, and left as it is where its guest ended by itself. */
const decideKept = (power: NonNullable<Standing['power']>, event: boolean, desired: DesiredPower): Decision =>
  desired === 'running' && !event && ['stopped', 'crashed', 'absent'].includes(power) ? 'revive' : 'nothing';

/** A guest that stood still. What was in a memory that is gone can not go on: it is off, and its owner starts it. */
function decideStill(vmState: 'paused' | 'suspended', power: NonNullable<Standing['power']>): Decision {
  if (power === 'running') return 'seenRunning';
  if (power === 'suspended') return vmState === 'paused' ? 'seenSuspended' : 'nothing';
  return power === 'paused' ? 'nothing' : 'seenStopped';
}
