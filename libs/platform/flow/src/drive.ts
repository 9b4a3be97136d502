/**
 * One lease of one task: walks its steps until it ends, parks, fails or is lost. Steps in a row that only write our
 * database share one transaction with their records; if one of them fails, they are walked singly.
 *
 * Owns: the task row and its records while the fence is current. Never waits for the outside.
 */
import { type Clock, delay, fail, isFailure, privateMessage, publicMessage, runInContext } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { backoffMs, stuckRetryMs } from './backoff.js';
import { recordDebt } from './debts.js';
import { Abandon, type FlowHooks, type Moment, type Probe, type StepOutcome } from './hooks.js';
import { type Finish, guarded, Lost, type Ran, type Recorded, StoreAway, TaskRecord, type Trouble } from './record.js';
import type { TaskRow } from './sql.js';
import { TaskState } from './task-state.js';
import { type Flow, NotYet, Owed, Permanent, type Step } from './types.js';

export interface DriveDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: () => number;
  readonly hooks: FlowHooks;
  readonly probe: Probe | undefined;
  readonly leaseMs: number;
  readonly stepTimeoutMs: number;
  /** Something private went wrong that no record could be made of. */
  readonly onTrouble: (error: unknown, task: TaskRow) => void;
}

/** How a drive left its task: when to look again (ms), or that it ended, or that it is not ours any more. */
export type DriveEnd =
  | { readonly kind: 'parked' | 'failed'; readonly ms: number }
  | { readonly kind: 'ended' | 'lost' | 'released' };

/** Debts get this many numbers of their own between the pairs of the task. */
const DEBT_ROOM = 1_000_000;
/** An outage is not the step's failure, unless the very same step meets one each time. */
const STORE_TRIES = 5;

export class Drive<I = unknown> {
  private readonly record: TaskRecord;
  private readonly state: TaskState<I>;
  private readonly aborter = new AbortController();
  private single = false;
  private storeTries = 0;
  private stopping = false;

  constructor(
    private readonly deps: DriveDeps,
    readonly task: TaskRow,
    private readonly flow: Flow<I>,
  ) {
    this.record = new TaskRecord(deps.db, task.id, task.fence, deps.leaseMs);
    this.state = new TaskState(task, flow);
  }

  /** Another runner has it: stop as soon as possible. */
  lose(): void {
    this.aborter.abort(new Lost('lease lost'));
  }

  /** Give the task back at the next record. */
  stop(): void {
    this.stopping = true;
  }

  /** Never throws. */
  run(): Promise<DriveEnd> {
    const { request_id: requestId, project_id: projectId, user_id: userId } = this.task;
    return runInContext({ requestId, projectId, userId }, () => this.untilEnd());
  }

  private async untilEnd(): Promise<DriveEnd> {
    for (;;) {
      try {
        return await this.walk();
      } catch (error) {
        if (error instanceof Abandon) return { kind: 'lost' };
        if (error instanceof StoreAway && (await this.recovered())) continue;
        if (!(error instanceof Lost) && !(error instanceof StoreAway)) this.deps.onTrouble(error, this.task);
        this.deps.hooks.lost?.({ kind: this.task.kind, id: this.task.id });
        return { kind: 'lost' };
      }
    }
  }

  /** After an outage: reads what the database knows of our task, as long as the lease may be ours. */
  private async recovered(): Promise<boolean> {
    await delay(100 + 100 * this.deps.random());
    try {
      this.state.load(await this.persist(() => this.record.reload()));
      return true;
    } catch {
      return false;
    }
  }

  /** For statements that bear repetition: an outage that is shorter than the lease is waited for. */
  private async persist<T>(statement: () => Promise<T>): Promise<T> {
    const giveUp = performance.now() + this.deps.leaseMs;
    for (;;) {
      try {
        return await guarded(statement);
      } catch (error) {
        if (!(error instanceof StoreAway) || performance.now() > giveUp) throw error;
        await delay(100 + 100 * this.deps.random());
      }
    }
  }

  private async walk(): Promise<DriveEnd> {
    for (;;) {
      if (this.aborter.signal.aborted) throw new Lost('lease lost');
      if (this.stopping) return this.giveBack();
      if (this.state.cancelled && this.flow.cancellable && this.state.direction === 'do') await this.turnCancelled();
      const pending = this.state.pending();
      const end = pending.length ? await this.advance(pending) : await this.finish();
      if (end) return end;
    }
  }

  private async advance(pending: readonly Step<I>[]): Promise<DriveEnd | undefined> {
    const first = pending[0]!;
    if (!this.state.body(first).tx) return this.acting(first, pending.length === 1);
    const stop = this.single ? 1 : pending.findIndex((step) => !this.state.body(step).tx);
    const batch = pending.slice(0, stop === -1 ? pending.length : stop);
    return this.writing(batch, pending.slice(batch.length));
  }

  /** A step that acts outside: it may happen again if we die before its record. */
  private async acting(step: Step<I>, last: boolean): Promise<DriveEnd | undefined> {
    const begun = performance.now();
    const { direction } = this.state;
    try {
      const ran = await this.act(step);
      // The call to the outside is over: rather the record is repeated than the call.
      const recorded = await this.persist(() =>
        this.record.done(this.deps.db, direction, [ran], 'done', this.ending(last)),
      );
      await this.probe(step.name, 'recorded');
      return this.passed([ran], recorded, begun);
    } catch (error) {
      return this.failed(step, error, begun);
    }
  }

  private async act(step: Step<I>): Promise<Ran> {
    await this.probe(step.name, 'before');
    const timeoutMs = step.timeoutMs ?? this.deps.stepTimeoutMs;
    const late = new AbortController();
    const ctx = this.state.context(step, this.now(), AbortSignal.any([this.aborter.signal, late.signal]));
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        late.abort();
        const cause = new Error(`no answer within ${timeoutMs} ms`);
        reject(fail.unavailable(`Step ${step.name} did not answer in time.`, { cause }));
      }, timeoutMs);
    });
    try {
      const output = await Promise.race([this.state.body(step).ensure!(ctx), timeUp]);
      await this.probe(step.name, 'acted');
      return { step: step.name, started: ctx.since, ended: this.now(), output: JSON.stringify(output ?? null) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Steps that write our database: their effects and their records commit together or not at all. */
  private async writing(steps: readonly Step<I>[], rest: readonly Step<I>[]): Promise<DriveEnd | undefined> {
    const begun = performance.now();
    const { direction } = this.state;
    let at = steps[0]!;
    try {
      const { ran, recorded } = await guarded(() =>
        this.deps.db.tx(async (tx) => {
          const done: Ran[] = [];
          for (const step of steps) {
            at = step;
            if (!this.state.skips(step)) done.push(await this.write(tx, step));
          }
          const last = rest.every((step) => this.state.skips(step));
          return { ran: done, recorded: await this.record.done(tx, direction, done, 'done', this.ending(last)) };
        }),
      );
      for (const { step } of ran) await this.probe(step, 'recorded');
      return this.passed(ran, recorded, begun);
    } catch (error) {
      this.state.dropOuts(steps);
      const dropped = error instanceof Lost || error instanceof Abandon || error instanceof StoreAway;
      if (dropped || at === steps[0]) return this.failed(at, error, begun);
      this.single = true;
      return undefined;
    }
  }

  private async write(tx: Tx, step: Step<I>): Promise<Ran> {
    await this.probe(step.name, 'before');
    const ctx = this.state.context(step, this.now(), this.aborter.signal);
    const output = JSON.stringify((await this.state.body(step).tx!(tx, ctx)) ?? null);
    const ran = { step: step.name, started: ctx.since, ended: this.now(), output };
    this.state.setOut(ran);
    await this.probe(step.name, 'acted');
    return ran;
  }

  private passed(ran: readonly Ran[], recorded: Recorded, begun: number): DriveEnd | undefined {
    this.state.settle(ran);
    for (const done of ran) this.tell(done.step, 'done', begun);
    this.state.attempt = 0;
    this.state.wakes = recorded.wakes;
    this.state.cancelled = recorded.cancelled;
    this.storeTries = 0;
    return recorded.state === 'running' ? undefined : this.ended(recorded.state === 'done' ? 'done' : 'undone');
  }

  private ending(last: boolean): Finish {
    const state = this.state.direction === 'do' ? 'done' : 'undone';
    return { state: last ? state : null, cancellable: this.flow.cancellable };
  }

  private async finish(): Promise<DriveEnd | undefined> {
    const { direction } = this.state;
    const recorded = await guarded(() => this.record.done(this.deps.db, direction, [], 'done', this.ending(true)));
    return this.passed([], recorded, performance.now());
  }

  private ended(state: 'done' | 'undone' | 'stuck'): DriveEnd {
    const ms = this.now().getTime() - this.task.created_at.getTime();
    this.deps.hooks.ended?.({ kind: this.task.kind, state, ms });
    return { kind: 'ended' };
  }

  private async giveBack(): Promise<DriveEnd> {
    await guarded(() => this.record.release());
    return { kind: 'released' };
  }

  private async turnCancelled(): Promise<void> {
    const trouble = { kind: 'cancelled', message: 'The operation was cancelled.', cause: 'cancelled' };
    await this.turn(trouble, null, this.now());
  }

  private async turn(trouble: Trouble, step: string | null, since: Date): Promise<void> {
    this.state.turned(trouble, await guarded(() => this.record.turn(trouble, step, since)));
  }

  /** Everything that a step can throw. */
  private async failed(step: Step<I>, error: unknown, begun: number): Promise<DriveEnd | undefined> {
    if (error instanceof Lost || error instanceof Abandon) throw error;
    if (error instanceof StoreAway) {
      this.storeTries += 1;
      if (this.storeTries < STORE_TRIES) throw error;
    }
    if (error instanceof NotYet) return this.notYet(step, error, begun);
    if (error instanceof Owed && this.state.body(step).ensure) return this.owe(step, error, begun);
    if (error instanceof Permanent && this.state.direction === 'do') {
      this.tell(step.name, 'permanent', begun);
      const trouble = { kind: error.kind, message: error.message, cause: privateMessage(error) };
      await this.turn(trouble, step.name, this.firstTry(step));
      return undefined;
    }
    return this.failedAgain(step, error instanceof StoreAway ? error.cause : error, begun);
  }

  private async notYet(step: Step<I>, error: NotYet, begun: number): Promise<DriveEnd | undefined> {
    const since = this.firstTry(step);
    if (step.deadlineMs !== undefined && this.now().getTime() - since.getTime() > step.deadlineMs) {
      const seconds = Math.round(step.deadlineMs / 1000);
      const message = `Step ${step.name} did not come to an end within ${seconds} s.`;
      return this.failed(step, new Permanent(message, { kind: 'unavailable' }), begun);
    }
    this.tell(step.name, 'parked', begun);
    const ms = Math.max(1, Math.round(error.retryMs));
    const { wakes, direction } = this.state;
    const parked = await guarded(() => this.record.park(wakes, ms, step.name, direction, since));
    if (parked) return { kind: 'parked', ms };
    // Woken between the check and now: what was seen may be stale, so look again.
    this.state.load(await guarded(() => this.record.reload()));
    return undefined;
  }

  private async owe(step: Step<I>, owed: Owed, begun: number): Promise<DriveEnd | undefined> {
    const output = JSON.stringify({ owed: owed.message });
    const ran: Ran = { step: step.name, started: this.firstTry(step), ended: this.now(), output };
    const { direction, n } = this.state;
    const last = this.state.pending().length === 1;
    const debt = { step: step.name, direction, owed, outputs: this.state.outputs(), n };
    const recorded = await guarded(() =>
      this.deps.db.tx(async (tx) => {
        await recordDebt(tx, this.task, debt);
        return this.record.done(tx, direction, [ran], 'owed', this.ending(last));
      }),
    );
    this.state.n += DEBT_ROOM;
    this.tell(step.name, 'owed', begun);
    this.state.settle([ran]);
    return this.passed([], recorded, begun);
  }

  /** Counts the failure; gives up after too many: turns round where the flow wants it, else gets stuck, yielding the key. */
  private async failedAgain(step: Step<I>, error: unknown, begun: number): Promise<DriveEnd | undefined> {
    this.tell(step.name, 'failed', begun);
    const { direction } = this.state;
    const attempt = this.state.attempt + 1;
    const limit = step.maxAttempts ?? this.flow.maxAttempts;
    const trouble = troubleOf(error);
    const since = this.firstTry(step);
    if (attempt >= limit && direction === 'do' && this.flow.exhausted === 'undo') {
      await this.turn(trouble, step.name, since);
      return undefined;
    }
    const stuck = attempt >= limit;
    const random = this.deps.random();
    // Nobody has to decide anything where somebody is merely away: when he is back, the task goes on within seconds.
    const away = trouble.kind === 'unavailable';
    const ms = stuck && !away ? stuckRetryMs(attempt - limit, random) : backoffMs(attempt, random);
    const next = { ms, state: stuck ? 'stuck' : 'running', cancellable: this.flow.cancellable } as const;
    await guarded(() => this.record.fail(step.name, direction, attempt, trouble, next, since));
    return stuck ? this.ended('stuck') : { kind: 'failed', ms };
  }

  private firstTry(step: Step<I>): Date {
    return this.state.firstTry(step, this.now());
  }

  private now(): Date {
    return this.deps.clock.now();
  }

  private tell(step: string, outcome: StepOutcome, begun: number): void {
    const ms = performance.now() - begun;
    this.deps.hooks.stepped?.({ kind: this.task.kind, step, direction: this.state.direction, outcome, ms });
  }

  private async probe(step: string, moment: Moment): Promise<void> {
    await this.deps.probe?.({ taskId: this.task.id, step, direction: this.state.direction, moment });
  }
}

function troubleOf(error: unknown): Trouble {
  const message = error instanceof Permanent ? error.message : publicMessage(error);
  return { kind: isFailure(error) ? error.kind : 'internal', message, cause: privateMessage(error) };
}
