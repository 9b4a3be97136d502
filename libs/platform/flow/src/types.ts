/**
 * A flow is a list of steps that survives any crash. Each step either writes our database (`tx`: exactly once, its record
 * and the check of our lease commit with it) or acts outside (`ensure`: at least once, idempotent by ids that are inputs of
 * the task), never both. Undo runs for every step, newest first, also for those that never began: undo of nothing is
 * nothing.
 */
import type { Failure } from '#libs/kernel';
import type { Tx } from '#libs/platform/db';

export type Direction = 'do' | 'undo';

/** Sent with every call to the outside. Receivers keep the highest pair per resource, for good, and refuse older ones. */
export interface Fence {
  readonly fence: number;
  readonly n: number;
}

export interface StepContext<I> {
  readonly taskId: string;
  readonly kind: string;
  readonly key: string;
  readonly projectId: string;
  readonly userId: string;
  readonly requestId: string;
  readonly input: I;
  readonly direction: Direction;
  /** Consecutive failures of this step so far. */
  readonly attempt: number;
  /** The task's time: the clock of the runner when the step began. */
  readonly now: Date;
  /** When this step was first tried. */
  readonly since: Date;
  /** When the task was inserted. */
  readonly createdAt: Date;
  /** Aborted when the lease is lost or the step's time is up. Pass it on to whatever can be aborted. */
  readonly signal: AbortSignal;
  /** While undoing: what turned the task round. */
  readonly failure: { readonly kind: string; readonly message: string } | undefined;
  /** What an earlier step returned, or undefined where it has not run (as undo must expect). JSON went through the database. */
  out<T>(step: string): T | undefined;
  /** A pair that is higher than all before it for this task. One per call to the outside, also when a call is repeated. */
  next(): Fence;
}

type TxBody<I> = (tx: Tx, ctx: StepContext<I>) => Promise<unknown>;
type EnsureBody<I> = (ctx: StepContext<I>) => Promise<unknown>;

interface Undo<I> {
  /** At most one of the two. */
  readonly undoTx?: TxBody<I>;
  readonly undoEnsure?: EnsureBody<I>;
}

interface Named<I> {
  readonly name: string;
  /**
   * Pure over the input and the outputs of earlier steps (which undo may find missing). A skipped step is neither run nor
   * recorded nor undone: for branches that are hardly ever taken, such as the third try of a boot.
   */
  readonly skip?: (task: { readonly input: I; out<T>(step: string): T | undefined }) => boolean;
  /** Instead of the flow's: failures in a row until the flow gives up. */
  readonly maxAttempts?: number;
  /** How long the step may answer `NotYet`, in milliseconds since its first try; then it fails for good and the task turns round. */
  readonly deadlineMs?: number;
  /** Instead of the runner's: how long one call of this `ensure` may take, in milliseconds; less than the lease. */
  readonly timeoutMs?: number;
}

/** Writes our database in the transaction it receives; no calls to the outside. May run again after a rollback. */
export interface TxStep<I> extends Named<I>, Undo<I> {
  readonly tx: TxBody<I>;
  readonly ensure?: never;
}

/**
 * Acts outside. Returns, or throws `NotYet` to look again later; never waits. Idempotent. It may read the database
 * through what its closure captured, but must not write it.
 */
export interface EnsureStep<I> extends Named<I>, Undo<I> {
  readonly ensure: EnsureBody<I>;
  readonly tx?: never;
}

/** Does nothing but undo: what has to happen when the task turns round, at this place in the order. */
export interface UndoStep<I> extends Named<I>, Undo<I> {
  readonly tx?: never;
  readonly ensure?: never;
}

export type Step<I> = TxStep<I> | EnsureStep<I> | UndoStep<I>;

export interface Flow<I> {
  /** `server.create`. */
  readonly kind: string;
  readonly version: number;
  readonly steps: readonly Step<I>[];
  /** Whether `requestCancel` turns it round. */
  readonly cancellable: boolean;
  /** What happens after too many failures in a row while doing. Undoing that fails too often is always stuck. */
  readonly exhausted: 'undo' | 'stuck';
  readonly maxAttempts: number;
}

/** A flow whose input type is not known here; only `defineFlow` makes one, and only its own tasks reach it. */
export type AnyFlow = Flow<never>;

export interface FlowDefinition<I> {
  readonly kind: string;
  /** 1 unless told. Appending steps keeps it; reordering or removing makes a new one, and the old stays until drained. */
  readonly version?: number;
  readonly steps: readonly Step<I>[];
  /** True unless told. False for deletes. */
  readonly cancellable?: boolean;
  /** `stuck` unless told. `undo` fits creates: give up, clean up, tell the user. */
  readonly exhausted?: 'undo' | 'stuck';
  /** 20 unless told: some three minutes of backoff. */
  readonly maxAttempts?: number;
}

/** Not finished: look again after so many milliseconds, or as soon as the task is woken. Not a failure. */
export class NotYet extends Error {
  constructor(readonly retryMs: number) {
    super('not yet');
    this.name = 'NotYet';
  }
}

/** No repetition will help: turn the task round. While undoing it counts as a failure like any other. */
export class Permanent extends Error {
  /** `message` is public; what it was made from goes into `cause`. A Failure lends its kind. */
  constructor(message: string, options: { readonly kind?: Failure['kind']; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'Permanent';
    this.kind = options.kind ?? 'internal';
  }
  readonly kind: Failure['kind'];
}

/**
 * The other side is away for long: record a debt and go on as if the step were done. The same step runs again, with the
 * fence of the attempt, when the creditor is back (`FlowRunner.settle`), until it succeeds or is refused as `fenced`.
 */
export class Owed extends Error {
  constructor(
    /** Who is away: a node's name. */
    readonly creditor: string,
    reason: string,
  ) {
    super(reason);
    this.name = 'Owed';
  }
}
