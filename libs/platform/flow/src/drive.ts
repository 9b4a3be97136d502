/**
 * One lease of one task: walks its steps until it ends, parks, fails or is lost. Steps in a row that only write our
 * database share one transaction with their records; if one of them fails, they are walked singly.
 *
 * Owns: the task row and its records while the fence is current. Never waits for the outside.
 */
import { type Clock, delay, fail, isFailure, privateMessage, publicMessage, runInContext } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { backoffMs, stuckRetryMs } from './backoff.js';
import { recordDebt } from './debts.js';
import { Abandon, type FlowHooks, type Probe, type StepOutcome } from './hooks.js';
import { guarded, Lost, type Ran, type Recorded, StoreAway, TaskRecord, type Trouble } from './record.js';
import type { TaskRow } from './sql.js';
import { type Direction, type Flow, NotYet, Owed, Permanent, type Step, type StepContext } from './types.js';

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
const STORE_TRIES = 5;

type Body<I> = { readonly tx?: Step<I>['tx']; readonly ensure?: Step<I>['ensure'] };

export class Drive<I = unknown> {
  private readonly record: TaskRecord;
  private readonly aborter = new AbortController();
  private readonly outs = new Map<string, unknown>();
  private readonly settled = new Set<string>();
  private readonly since = new Map<string, Date>();
  private direction: Direction;
  private attempt: number;
  private wakes: number;
  private cancelled: boolean;
  private failure: { kind: string; message: string } | undefined;
  private n = 0;
  private single = false;
  private storeTries = 0;
  private stopping = false;

  constructor(
    private readonly deps: DriveDeps,
    readonly task: TaskRow,
    private readonly flow: Flow<I>,
  ) {
    this.record = new TaskRecord(deps.db, task.id, task.fence, deps.leaseMs);
    ({ direction: this.direction, attempt: this.attempt, wakes: this.wakes, cancelled: this.cancelled } = task);
    this.load(task);
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

  /** After an outage: waits for the database and reads what it knows of our task, for as long as the lease may be ours. */
  private async recovered(): Promise<boolean> {
    const giveUp = performance.now() + this.deps.leaseMs;
    while (performance.now() < giveUp) {
      await delay(150 + 150 * this.deps.random());
      try {
        const row = await this.record.reload();
        ({ direction: this.direction, attempt: this.attempt, wakes: this.wakes, cancelled: this.cancelled } = row);
        this.load(row);
        return true;
      } catch (error) {
        if (!isFailure(error, 'unavailable')) return false;
      }
    }
    return false;
  }

  private load(row: TaskRow): void {
    this.failure = row.failure_kind === null ? undefined : { kind: row.failure_kind, message: row.failure ?? '' };
    for (const step of row.steps ?? []) {
      this.since.set(`${step.direction}/${step.step}`, new Date(step.started));
      if (!step.done) continue;
      this.settled.add(`${step.direction}/${step.step}`);
      if (step.direction === 'do') this.outs.set(step.step, step.output);
    }
  }

  private async walk(): Promise<DriveEnd> {
    for (;;) {
      if (this.aborter.signal.aborted) throw new Lost('lease lost');
      if (this.stopping) return this.giveBack();
      if (this.cancelled && this.flow.cancellable && this.direction === 'do') await this.turnCancelled();
      const pending = this.pending();
      const end = pending.length ? await this.advance(pending) : await this.finish();
      if (end) return end;
    }
  }

  /** What is left in this direction. Undo covers all steps, also those that never began, as far as they have one. */
  private pending(): Step<I>[] {
    const left = this.flow.steps.filter((step) => !this.settled.has(`${this.direction}/${step.name}`));
    if (this.direction === 'do') return left;
    return left.filter((step) => step.undoTx || step.undoEnsure).reverse();
  }

  private body(step: Step<I>): Body<I> {
    if (this.direction === 'do') return step.tx ? { tx: step.tx } : { ensure: step.ensure };
    return step.undoTx ? { tx: step.undoTx } : { ensure: step.undoEnsure! };
  }

  private async advance(pending: readonly Step<I>[]): Promise<DriveEnd | undefined> {
    const first = pending[0]!;
    if (!this.body(first).tx) return this.acting(first, pending.length === 1);
    const stop = this.single ? 1 : pending.findIndex((step) => !this.body(step).tx);
    const batch = pending.slice(0, stop === -1 ? pending.length : stop);
    return this.writing(batch, batch.length === pending.length);
  }

  /** A step that acts outside: it may happen again if we die before its record. */
  private async acting(step: Step<I>, last: boolean): Promise<DriveEnd | undefined> {
    const direction = this.direction;
    const begun = performance.now();
    try {
      const ran = await this.act(step);
      const recorded = await guarded(() => this.record.done(this.deps.db, direction, [ran], 'done', this.ending(last)));
      await this.probe(step, 'recorded');
      return this.passed([step], [ran], recorded, begun);
    } catch (error) {
      return this.failed(step, error, begun);
    }
  }

  private async act(step: Step<I>): Promise<Ran> {
    await this.probe(step, 'before');
    const timeoutMs = step.timeoutMs ?? this.deps.stepTimeoutMs;
    const late = new AbortController();
    const started = this.deps.clock.now();
    const ctx = this.context(step, started, AbortSignal.any([this.aborter.signal, late.signal]));
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        late.abort();
        reject(
          fail.unavailable(`Step ${step.name} did not answer in time.`, {
            cause: new Error(`no answer within ${timeoutMs} ms`),
          }),
        );
      }, timeoutMs);
    });
    try {
      const output = await Promise.race([this.body(step).ensure!(ctx), timeUp]);
      await this.probe(step, 'acted');
      return {
        step: step.name,
        started: ctx.since,
        ended: this.deps.clock.now(),
        output: JSON.stringify(output ?? null),
      };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Steps that write our database: their effects and their records commit together or not at all. */
  private async writing(steps: readonly Step<I>[], last: boolean): Promise<DriveEnd | undefined> {
    const direction = this.direction;
    const begun = performance.now();
    let at = steps[0]!;
    try {
      const { ran, recorded } = await guarded(() =>
        this.deps.db.tx(async (tx) => {
          const done: Ran[] = [];
          for (const step of steps) {
            at = step;
            await this.probe(step, 'before');
            const ctx = this.context(step, this.deps.clock.now(), this.aborter.signal);
            const output = JSON.stringify((await this.body(step).tx!(tx, ctx)) ?? null);
            done.push({ step: step.name, started: ctx.since, ended: this.deps.clock.now(), output });
            if (direction === 'do') this.outs.set(step.name, JSON.parse(output));
            await this.probe(step, 'acted');
          }
          return { ran: done, recorded: await this.record.done(tx, direction, done, 'done', this.ending(last)) };
        }),
      );
      for (const step of steps) await this.probe(step, 'recorded');
      return this.passed(steps, ran, recorded, begun);
    } catch (error) {
      if (direction === 'do') for (const step of steps) this.outs.delete(step.name);
      const retryable = !(error instanceof Lost || error instanceof Abandon || error instanceof StoreAway);
      if (steps.length > 1 && retryable) {
        this.single = true;
        return undefined;
      }
      return this.failed(at, error, begun);
    }
  }

  private passed(
    steps: readonly Step<I>[],
    ran: readonly Ran[],
    recorded: Recorded,
    begun: number,
  ): DriveEnd | undefined {
    ran.forEach((done, index) => {
      this.settled.add(`${this.direction}/${done.step}`);
      if (this.direction === 'do') this.outs.set(done.step, JSON.parse(done.output));
      this.tell(steps[index]!, 'done', begun);
    });
    this.attempt = 0;
    this.storeTries = 0;
    this.wakes = recorded.wakes;
    this.cancelled = recorded.cancelled;
    return recorded.state === 'running' ? undefined : this.ended(recorded.state);
  }

  private ending(last: boolean): { state: 'done' | 'undone' | null; cancellable: boolean } {
    const state = this.direction === 'do' ? 'done' : 'undone';
    return { state: last ? state : null, cancellable: this.flow.cancellable };
  }

  private async finish(): Promise<DriveEnd | undefined> {
    const recorded = await guarded(() => this.record.done(this.deps.db, this.direction, [], 'done', this.ending(true)));
    return this.passed([], [], recorded, performance.now());
  }

  private ended(state: string): DriveEnd {
    const ms = this.deps.clock.now().getTime() - this.task.created_at.getTime();
    this.deps.hooks.ended?.({
      kind: this.task.kind,
      state: state === 'done' ? 'done' : state === 'undone' ? 'undone' : 'stuck',
      ms,
    });
    return { kind: 'ended' };
  }

  private async giveBack(): Promise<DriveEnd> {
    await guarded(() => this.record.release());
    return { kind: 'released' };
  }

  private async turnCancelled(): Promise<void> {
    const trouble = { kind: 'cancelled', message: 'The operation was cancelled.', cause: 'cancelled' };
    await this.turn(trouble, null, this.deps.clock.now());
  }

  private async turn(trouble: Trouble, step: string | null, since: Date): Promise<void> {
    this.wakes = await guarded(() => this.record.turn(trouble, step, since));
    this.direction = 'undo';
    this.attempt = 0;
    this.failure = trouble;
  }

  /** Everything that a step can throw. */
  private async failed(step: Step<I>, error: unknown, begun: number): Promise<DriveEnd | undefined> {
    if (error instanceof Lost || error instanceof Abandon) throw error;
    if (error instanceof StoreAway) {
      this.storeTries += 1;
      if (this.storeTries < STORE_TRIES) throw error;
    }
    if (error instanceof NotYet) return this.notYet(step, error, begun);
    if (error instanceof Owed && this.body(step).ensure) return this.owe(step, error, begun);
    if (error instanceof Permanent && this.direction === 'do') {
      this.tell(step, 'permanent', begun);
      await this.turn(permanent(error), step.name, this.firstTry(step));
      return undefined;
    }
    return this.failedAgain(step, error instanceof StoreAway ? error.cause : error, begun);
  }

  private async notYet(step: Step<I>, error: NotYet, begun: number): Promise<DriveEnd | undefined> {
    const since = this.firstTry(step);
    if (step.deadlineMs !== undefined && this.deps.clock.now().getTime() - since.getTime() > step.deadlineMs) {
      const seconds = Math.round(step.deadlineMs / 1000);
      return this.failed(
        step,
        new Permanent(`Step ${step.name} did not come to an end within ${seconds} s.`, { kind: 'unavailable' }),
        begun,
      );
    }
    this.tell(step, 'parked', begun);
    const ms = Math.max(1, Math.round(error.retryMs));
    if (await guarded(() => this.record.park(this.wakes, ms, step.name, this.direction, since)))
      return { kind: 'parked', ms };
    // Woken between the check and now: what was seen may be stale, so look again.
    const row = await guarded(() => this.record.reload());
    this.wakes = row.wakes;
    this.cancelled = row.cancelled;
    return undefined;
  }

  private async owe(step: Step<I>, owed: Owed, begun: number): Promise<DriveEnd | undefined> {
    const now = this.deps.clock.now();
    const ran: Ran = {
      step: step.name,
      started: this.firstTry(step),
      ended: now,
      output: JSON.stringify({ owed: owed.message }),
    };
    const last = this.pending().length === 1;
    const outputs = Object.fromEntries(this.outs);
    const recorded = await guarded(() =>
      this.deps.db.tx(async (tx) => {
        await recordDebt(tx, this.task, { step: step.name, direction: this.direction, owed, outputs, n: this.n });
        return this.record.done(tx, this.direction, [ran], 'owed', this.ending(last));
      }),
    );
    this.n += DEBT_ROOM;
    this.tell(step, 'owed', begun);
    this.settled.add(`${this.direction}/${step.name}`);
    return this.passed([], [], recorded, begun);
  }

  /** Counts the failure; gives up after too many: turns round where that may help, else gets stuck and yields the key. */
  private async failedAgain(step: Step<I>, error: unknown, begun: number): Promise<DriveEnd | undefined> {
    this.tell(step, 'failed', begun);
    const attempt = this.attempt + 1;
    const limit = step.maxAttempts ?? this.flow.maxAttempts;
    const trouble: Trouble = {
      kind: isFailure(error) ? error.kind : 'internal',
      message: messageOf(error),
      cause: privateMessage(error),
    };
    if (attempt >= limit && this.direction === 'do' && this.flow.exhausted === 'undo') {
      await this.turn(trouble, step.name, this.firstTry(step));
      return undefined;
    }
    const stuck = attempt >= limit;
    const ms = stuck ? stuckRetryMs(attempt - limit, this.deps.random()) : backoffMs(attempt, this.deps.random());
    const next = { ms, state: stuck ? 'stuck' : 'running', cancellable: this.flow.cancellable } as const;
    await guarded(() => this.record.fail(step.name, this.direction, attempt, trouble, next, this.firstTry(step)));
    return stuck ? this.ended('stuck') : { kind: 'failed', ms };
  }

  private firstTry(step: Step<I>): Date {
    return this.since.get(`${this.direction}/${step.name}`) ?? this.deps.clock.now();
  }

  private context(step: Step<I>, now: Date, signal: AbortSignal): StepContext<I> {
    const since = this.since.get(`${this.direction}/${step.name}`) ?? now;
    this.since.set(`${this.direction}/${step.name}`, since);
    return {
      taskId: this.task.id,
      kind: this.task.kind,
      key: this.task.key,
      projectId: this.task.project_id,
      userId: this.task.user_id,
      requestId: this.task.request_id,
      input: this.task.input as I,
      direction: this.direction,
      attempt: this.attempt,
      now,
      since,
      createdAt: this.task.created_at,
      signal,
      failure: this.failure,
      out: <T>(name: string) => this.outs.get(name) as T | undefined,
      next: () => {
        this.n += 1;
        return { fence: this.task.fence, n: this.n };
      },
    };
  }

  private tell(step: Step<I>, outcome: StepOutcome, begun: number): void {
    const { kind } = this.task;
    this.deps.hooks.stepped?.({
      kind,
      step: step.name,
      direction: this.direction,
      outcome,
      ms: performance.now() - begun,
    });
  }

  private async probe(step: Step<I>, moment: 'before' | 'acted' | 'recorded'): Promise<void> {
    await this.deps.probe?.({ taskId: this.task.id, step: step.name, direction: this.direction, moment });
  }
}

const permanent = (error: Permanent): Trouble => ({
  kind: error.kind,
  message: error.message,
  cause: privateMessage(error),
});

/** What may be shown to the tenant. */
const messageOf = (error: unknown): string => (error instanceof Permanent ? error.message : publicMessage(error));
