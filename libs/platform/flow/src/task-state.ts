/** What a drive knows of its task: read with the lease, kept up to date with each record. No I/O. */
import type { Ran, Trouble } from './record.js';
import type { TaskRow } from './sql.js';
import { stepContext } from './step-context.js';
import type { Direction, Fence, Flow, Step, StepContext } from './types.js';

export type Body<I> = Pick<Step<I>, 'tx' | 'ensure'>;

export class TaskState<I> {
  direction!: Direction;
  attempt!: number;
  wakes!: number;
  cancelled!: boolean;
  /** The last number given out under this lease. */
  n = 0;
  private failure: { kind: string; message: string } | undefined;
  private readonly outs = new Map<string, unknown>();
  private readonly settled = new Set<string>();
  private readonly since = new Map<string, Date>();

  constructor(
    readonly task: TaskRow,
    private readonly flow: Flow<I>,
  ) {
    this.load(task);
  }

  /** What the database says replaces what we remember. */
  load(row: TaskRow): void {
    ({ direction: this.direction, attempt: this.attempt, wakes: this.wakes, cancelled: this.cancelled } = row);
    this.failure = row.failure_kind === null ? undefined : { kind: row.failure_kind, message: row.failure ?? '' };
    this.outs.clear();
    this.settled.clear();
    for (const step of row.steps ?? []) {
      this.since.set(`${step.direction}/${step.step}`, new Date(step.started));
      if (!step.done) continue;
      this.settled.add(`${step.direction}/${step.step}`);
      if (step.direction === 'do') this.outs.set(step.step, step.output);
    }
  }

  turned(trouble: Trouble, wakes: number): void {
    this.direction = 'undo';
    this.attempt = 0;
    this.wakes = wakes;
    this.failure = trouble;
  }

  settle(ran: readonly Ran[]): void {
    for (const done of ran) {
      this.settled.add(`${this.direction}/${done.step}`);
      this.setOut(done);
    }
  }

  setOut(ran: Ran): void {
    if (this.direction === 'do') this.outs.set(ran.step, JSON.parse(ran.output));
  }

  dropOuts(steps: readonly Step<I>[]): void {
    if (this.direction === 'do') for (const step of steps) this.outs.delete(step.name);
  }

  outputs(): Record<string, unknown> {
    return Object.fromEntries(this.outs);
  }

  /**
   * What is left in this direction, beginning with a step that is not skipped. Undo covers all steps, newest first, also
   * those that never began, as far as they have one.
   */
  pending(): Step<I>[] {
    const left = this.flow.steps.filter((step) => !this.settled.has(`${this.direction}/${step.name}`));
    if (this.direction === 'undo') {
      return left.filter((step) => (step.undoTx || step.undoEnsure) && !this.skips(step)).reverse();
    }
    const acting = left.filter((step) => step.tx || step.ensure);
    const first = acting.findIndex((step) => !this.skips(step));
    return first === -1 ? [] : acting.slice(first);
  }

  skips(step: Step<I>): boolean {
    const out = <T>(name: string): T | undefined => this.outs.get(name) as T | undefined;
    return step.skip?.({ input: this.task.input as I, out }) ?? false;
  }

  body(step: Step<I>): Body<I> {
    if (this.direction === 'do') return step;
    return step.undoTx ? { tx: step.undoTx } : ({ ensure: step.undoEnsure } as Body<I>);
  }

  firstTry(step: Step<I>, now: Date): Date {
    return this.since.get(`${this.direction}/${step.name}`) ?? now;
  }

  context(step: Step<I>, now: Date, signal: AbortSignal): StepContext<I> {
    const since = this.firstTry(step, now);
    this.since.set(`${this.direction}/${step.name}`, since);
    const { id: taskId, kind, key, project_id: projectId, user_id: userId, request_id: requestId } = this.task;
    const { input, created_at: createdAt } = this.task;
    const next = (): Fence => {
      this.n += 1;
      return { fence: this.task.fence, n: this.n };
    };
    const { direction, attempt, failure } = this;
    const out = (name: string): unknown => this.outs.get(name);
    return stepContext(
      { taskId, kind, key, projectId, userId, requestId, input, createdAt },
      { direction, attempt, now, since, signal, failure, out, next },
    );
  }
}
