/**
 * Runs a flow once for everything that can happen at each of its steps: repeated, failed, abandoned before its record,
 * abandoned after it, cancelled, undone twice. After each run the task must have ended as it should and the caller's
 * auditor must find nothing.
 */
import { randomUUID } from 'node:crypto';
import { delay } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import {
  Abandon,
  type AnyFlow,
  type Direction,
  FlowRunner,
  insertTask,
  type Moment,
  type NewTask,
  Permanent,
  requestCancel,
  taskHistory,
} from '#libs/platform/flow';

export type Mishap = 'error' | 'permanent' | 'abandon' | 'cancel';

/** One thing that goes wrong once: at a moment of a step, in a direction. */
export interface Trial {
  readonly name: string;
  readonly step: string;
  readonly direction: Direction;
  readonly moment: Moment;
  readonly mishap: Mishap;
  readonly end: 'done' | 'undone';
}

export interface HarnessOptions<I> {
  readonly db: Db;
  readonly flow: AnyFlow;
  /** Other flows that the run needs. */
  readonly others?: readonly AnyFlow[];
  /** Makes fresh resources and says which task works on them. */
  readonly prepare: () => Promise<NewTask<I>>;
  /** What is wrong after the task has ended so; nothing when all is well. */
  readonly audit: (task: NewTask<I>, end: 'done' | 'undone') => Promise<readonly string[]>;
  /** False for flows that only go forward: trials that turn them round are left out. True unless told. */
  readonly turns?: boolean;
  /** How long one run may take, in milliseconds; 10,000 unless told. */
  readonly timeoutMs?: number;
}

const trial = (step: string, direction: Direction, moment: Moment, mishap: Mishap, end: 'done' | 'undone'): Trial => ({
  name: `${step}: ${mishap} when ${direction} ${moment}`,
  step,
  direction,
  moment,
  mishap,
  end,
});

/** Everything that is tried with a flow. */
export function trialsOf(flow: AnyFlow, turns = true): Trial[] {
  const trials: Trial[] = [];
  for (const { name, tx, ensure, undoTx, undoEnsure } of flow.steps) {
    if (tx || ensure) trials.push(...doTrials(name, flow.cancellable, turns));
    if (!turns || (!undoTx && !undoEnsure)) continue;
    trials.push(trial(name, 'undo', 'acted', 'error', 'undone'));
    for (const moment of MOMENTS) trials.push(trial(name, 'undo', moment, 'abandon', 'undone'));
  }
  return trials;
}

const MOMENTS: readonly Moment[] = ['before', 'acted', 'recorded'];

function doTrials(name: string, cancellable: boolean, turns: boolean): Trial[] {
  const trials = [trial(name, 'do', 'acted', 'error', 'done')];
  for (const moment of MOMENTS) trials.push(trial(name, 'do', moment, 'abandon', 'done'));
  if (!turns) return trials;
  for (const moment of ['before', 'acted'] as const) trials.push(trial(name, 'do', moment, 'permanent', 'undone'));
  if (cancellable) trials.push(trial(name, 'do', 'acted', 'cancel', 'undone'));
  return trials;
}

/** Runs all trials, one after the other. Returns what was found, one line each; nothing when all is well. */
export async function exerciseFlow<I>(options: HarnessOptions<I>): Promise<string[]> {
  const findings: string[] = [];
  for (const each of trialsOf(options.flow, options.turns)) {
    const found = await runTrial(options, each).catch((error: unknown) => [String(error)]);
    findings.push(...found.map((finding) => `${each.name}: ${finding}`));
  }
  return findings;
}

/** Runs one trial. */
export async function runTrial<I>(options: HarnessOptions<I>, each: Trial): Promise<string[]> {
  const task = await options.prepare();
  const saboteur = new Saboteur(options, each, task);
  const owner = `harness-${randomUUID()}`;
  let runner: FlowRunner | undefined;
  try {
    await options.db.tx((tx) => insertTask(tx, task));
    const giveUp = performance.now() + (options.timeoutMs ?? 10_000);
    for (;;) {
      if (!runner || saboteur.crashed) {
        await runner?.stop(0);
        saboteur.crashed = false;
        runner = await saboteur.runner(owner);
      }
      const now = (await taskHistory(options.db, { id: task.id }))[0]!;
      if (now.state !== 'running') return await verdict(options, task, now.state, saboteur.expected);
      if (performance.now() > giveUp) return [`still running: ${JSON.stringify(now)}`];
      await delay(5);
    }
  } finally {
    await runner?.stop(0);
  }
}

async function verdict<I>(
  options: HarnessOptions<I>,
  task: NewTask<I>,
  state: string,
  expected: 'done' | 'undone',
): Promise<string[]> {
  if (state !== expected) return [`ended ${state}, not ${expected}`];
  return [...(await options.audit(task, expected))];
}

class Saboteur<I> {
  struck = false;
  crashed = false;
  private turned = false;

  constructor(
    private readonly options: HarnessOptions<I>,
    private readonly trial: Trial,
    private readonly task: NewTask<I>,
  ) {}

  /** A step that the flow skips is never reached; then the run must simply go well. */
  get expected(): 'done' | 'undone' {
    return this.struck || this.turned ? this.trial.end : 'done';
  }

  async runner(owner: string): Promise<FlowRunner> {
    const { db, flow, others = [] } = this.options;
    const probe = (at: { taskId: string; step: string; direction: Direction; moment: Moment }) => this.strike(at);
    const runner = new FlowRunner({ db, flows: [flow, ...others], owner, probe, random: () => 0, scanMs: 100 });
    await runner.start();
    return runner;
  }

  private async strike(at: { taskId: string; step: string; direction: Direction; moment: Moment }): Promise<void> {
    if (at.taskId !== this.task.id) return;
    this.turnAtTheEnd(at);
    const { step, direction, moment } = this.trial;
    // A permanent failure stays one when the flow looks twice.
    const again = this.struck && this.trial.mishap !== 'permanent';
    if (again || at.step !== step || at.direction !== direction || at.moment !== moment) return;
    this.struck = true;
    await this.mishap();
  }

  /** Trials of an undo need a flow that went all the way and then turned. */
  private turnAtTheEnd(at: { step: string; direction: Direction; moment: Moment }): void {
    if (this.trial.direction !== 'undo' || at.direction !== 'do' || at.moment !== 'acted') return;
    if (at.step !== this.options.flow.steps.findLast((step) => step.tx ?? step.ensure)?.name) return;
    this.turned = true;
    throw new Permanent('the harness turns it round');
  }

  private async mishap(): Promise<void> {
    switch (this.trial.mishap) {
      case 'error':
        throw new Error('the harness lets it fail once');
      case 'permanent':
        throw new Permanent('the harness lets it fail for good');
      case 'abandon':
        this.crashed = true;
        throw new Abandon('the harness lets the process die');
      case 'cancel':
        await this.options.db.tx((tx) => requestCancel(tx, this.task.key));
    }
  }
}
