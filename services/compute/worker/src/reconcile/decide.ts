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
  if (vmState === 'active' && isOff) return event ? 'seenStopped' : 'revive';
  if (vmState === 'active' && power === 'absent') return 'revive';
  if (vmState === 'stopped' && power === 'running') return 'seenRunning';
  return 'nothing';
}
