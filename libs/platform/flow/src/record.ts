/** The statements of sql.ts as functions of one leased task. Each throws `Lost` where the lease is no longer ours. */
import { isFailure } from '#libs/kernel';
import type { Db, Sql, Tx } from '#libs/platform/db';
import { FAIL, PARK, RECORD, RELEASE, RELOAD, type TaskRow, TURN } from './sql.js';
import type { Direction } from './types.js';

/** A higher fence has been drawn for the task: whatever we do now does not count. */
export class Lost extends Error {}

/** The database went away in the middle of the work; what it remembers of it must be read again. */
export class StoreAway extends Error {
  constructor(cause: unknown) {
    super('the database was away', { cause });
  }
}

export interface Ran {
  readonly step: string;
  readonly started: Date;
  readonly ended: Date;
  /** JSON. */
  readonly output: string;
}

export interface Recorded {
  readonly cancelled: boolean;
  readonly wakes: number;
  readonly state: string;
}

export interface Finish {
  /** The state after the last step, or null where more follow. */
  readonly state: 'done' | 'undone' | null;
  readonly cancellable: boolean;
}

export interface Trouble {
  readonly kind: string;
  readonly message: string;
  readonly cause: string;
}

/** Marks a failing store, so that it is not mistaken for a failing step. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isFailure(error, 'unavailable') ? new StoreAway(error) : error;
  }
}

export class TaskRecord {
  constructor(
    private readonly db: Db,
    readonly id: string,
    readonly fence: number,
    private readonly leaseMs: number,
  ) {}

  /** Steps happened. Within their own transaction, or on the pool for a step that acted outside. */
  async done(
    on: Db | Tx,
    direction: Direction,
    steps: readonly Ran[],
    outcome: 'done' | 'owed',
    finish: Finish,
  ): Promise<Recorded> {
    const columns = [
      steps.map((s) => s.step),
      steps.map((s) => s.started),
      steps.map((s) => s.ended),
      steps.map((s) => s.output),
    ];
    const params = [
      this.id,
      this.fence,
      direction,
      ...columns,
      outcome,
      finish.state,
      finish.cancellable,
      this.leaseMs,
    ];
    return this.own(await on.one<Recorded>(RECORD, params));
  }

  /** False when the task was woken since `wakes` was read: look again at once. */
  async park(wakes: number, ms: number, step: string, direction: Direction, since: Date): Promise<boolean> {
    return (await this.db.one(PARK, [this.id, this.fence, wakes, ms, step, direction, since])) !== undefined;
  }

  async fail(
    step: string,
    direction: Direction,
    attempt: number,
    trouble: Trouble,
    next: { ms: number; state: 'running' | 'stuck'; cancellable: boolean },
    since: Date,
  ): Promise<void> {
    const { ms, state, cancellable } = next;
    const params = [
      this.id,
      this.fence,
      step,
      direction,
      attempt,
      trouble.message,
      trouble.cause,
      ms,
      state,
      cancellable,
      since,
    ];
    this.own(await this.db.one(FAIL, params));
  }

  /** Returns the wake counter. */
  async turn(trouble: Trouble, step: string | null, since: Date): Promise<number> {
    const params = [this.id, this.fence, trouble.kind, trouble.message, trouble.cause, step, since];
    return this.own(await this.db.one<{ wakes: number }>(TURN, params)).wakes;
  }

  async release(): Promise<void> {
    await this.db.exec(RELEASE, [this.id, this.fence]);
  }

  async reload(on: Sql = this.db): Promise<TaskRow> {
    return this.own(await on.one<TaskRow>(RELOAD, [this.id, this.fence, this.leaseMs]));
  }

  private own<T>(row: T | undefined): T {
    if (row === undefined) throw new Lost(`task ${this.id}: the lease with fence ${this.fence} is over`);
    return row;
  }
}
