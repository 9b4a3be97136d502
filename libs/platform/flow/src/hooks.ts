/** What a runner tells about its work: metrics, logs, and the points where tests interfere. */
import type { Direction } from './types.js';

export type StepOutcome = 'done' | 'parked' | 'failed' | 'permanent' | 'owed';

export interface FlowHooks {
  /** A task was leased `waitedMs` after it was due. */
  leased?(task: { kind: string; waitedMs: number }): void;
  stepped?(step: { kind: string; step: string; direction: Direction; outcome: StepOutcome; ms: number }): void;
  /** A task came to an end, or got stuck, `ms` after it was inserted. */
  ended?(task: { kind: string; state: 'done' | 'undone' | 'stuck'; ms: number }): void;
  /** Another runner took the task over, or the database was away for longer than the lease. */
  lost?(task: { kind: string; id: string }): void;
}

export type Moment = 'before' | 'acted' | 'recorded';

/** Where a test may interfere: before a step's body, after it, and after its record is committed. */
export type Probe = (at: {
  taskId: string;
  step: string;
  direction: Direction;
  moment: Moment;
}) => Promise<void> | void;

/** Thrown by a probe: the runner drops the task as a dying process would, recording nothing and keeping its lease. */
export class Abandon extends Error {}
