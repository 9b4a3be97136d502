/**
 * What could not be done because the other side was away. A debt keeps the fence of its attempt: when the creditor is
 * back the same step runs again under it, and where a later task has been there meanwhile, the receiver refuses the old
 * fence and the debt is void. Debts of one task towards one creditor are settled in their order.
 */
import { type Clock, isFailure, privateMessage, runInContext } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import type { TaskRow } from './sql.js';
import { stepContext } from './step-context.js';
import { DEBT_CHANNEL } from './tasks.js';
import { type AnyFlow, type Direction, type Flow, NotYet, Owed, type StepContext } from './types.js';

interface DebtRow {
  readonly id: number;
  readonly task_id: string;
  readonly kind: string;
  readonly version: number;
  readonly key: string;
  readonly request_id: string;
  readonly step: string;
  readonly direction: Direction;
  readonly creditor: string;
  readonly input: unknown;
  readonly outputs: Record<string, unknown>;
  readonly fence: number;
  readonly n: number;
  readonly attempt: number;
  readonly project_id: string;
  readonly user_id: string;
  readonly created_at: Date;
}

export interface NewDebt {
  readonly step: string;
  readonly direction: Direction;
  readonly owed: Owed;
  readonly outputs: Record<string, unknown>;
  /** The last number that the task has used. */
  readonly n: number;
}

/** Each try of a debt may use so many pairs. */
const PAIRS = 100;
const LEASE_MS = 30_000;
const BACKOFF_CAP_MS = 300_000;

export async function recordDebt(tx: Tx, task: TaskRow, debt: NewDebt): Promise<void> {
  await tx.exec(
    `insert into debt (task_id, kind, version, key, project_id, user_id, request_id, step, direction, creditor, reason, input, outputs, fence, n,
       next_try)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, now() + interval '30 seconds')
     on conflict (task_id, step, direction) do nothing`,
    [
      ...[task.id, task.kind, task.version, task.key, task.project_id, task.user_id, task.request_id],
      ...[debt.step, debt.direction, debt.owed.creditor, debt.owed.message],
      ...[JSON.stringify(task.input), JSON.stringify(debt.outputs), task.fence, debt.n],
    ],
  );
}

/** The creditor is back: its debts are tried now. Returns how many there are. */
export async function callInDebts(tx: Tx, creditor: string): Promise<number> {
  const due = await tx.exec('update debt set next_try = now() where creditor = $1 and settled_at is null', [creditor]);
  if (due) tx.notify(DEBT_CHANNEL);
  return due;
}

/** Writes a debt off, with the operator's reason. */
export async function writeOffDebt(tx: Tx, id: number, reason: string): Promise<boolean> {
  const params = [id, `written off: ${reason}`];
  return (
    (await tx.exec('update debt set settled_at = now(), failure = $2 where id = $1 and settled_at is null', params)) ===
    1
  );
}

const LEASE = {
  name: 'flow.debt_lease',
  text: `update debt set attempt = attempt + 1, n = n + ${PAIRS}, next_try = now() + ${LEASE_MS} * interval '1 ms'
    where id in (
      select id from debt d where settled_at is null and next_try <= now() and kind || '@' || version = any ($1)
         and not exists (select 1 from debt e where e.task_id = d.task_id and e.creditor = d.creditor and e.settled_at is null and e.id < d.id)
       order by next_try limit $2::int for update skip locked)
    returning *`,
};

export class DebtSettler {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly flows: ReadonlyMap<string, AnyFlow>,
    private readonly timeoutMs: number,
  ) {}

  /** Tries the debts that are due, a few at a time, until none is. Returns how many were settled. */
  async settleDue(signal: AbortSignal): Promise<number> {
    let settled = 0;
    while (!signal.aborted) {
      const debts = await this.db.query<DebtRow>(LEASE, [[...this.flows.keys()], 4]);
      if (!debts.length) return settled;
      const outcomes = await Promise.all(debts.map((debt) => this.settle(debt, signal)));
      settled += outcomes.filter(Boolean).length;
    }
    return settled;
  }

  private async settle(debt: DebtRow, signal: AbortSignal): Promise<boolean> {
    try {
      const context = { requestId: debt.request_id, projectId: debt.project_id, userId: debt.user_id };
      await runInContext(context, () =>
        this.repeat(debt, AbortSignal.any([signal, AbortSignal.timeout(this.timeoutMs)])),
      );
    } catch (error) {
      if (!isFailure(error, 'fenced')) {
        await this.postpone(debt, error);
        return false;
      }
    }
    await this.db.exec('update debt set settled_at = now() where id = $1', [debt.id]);
    return true;
  }

  private async repeat(debt: DebtRow, signal: AbortSignal): Promise<void> {
    const flow = this.flows.get(`${debt.kind}@${debt.version}`) as Flow<unknown> | undefined;
    const step = flow?.steps.find((candidate) => candidate.name === debt.step);
    const body = debt.direction === 'do' ? step?.ensure : step?.undoEnsure;
    if (!body) throw new Error(`${debt.kind}@${debt.version} has no step ${debt.step} that acts outside`);
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true });
    });
    await Promise.race([body(debtContext(debt, this.clock.now(), signal)), aborted]);
  }

  private async postpone(debt: DebtRow, error: unknown): Promise<void> {
    const ms =
      error instanceof NotYet ? error.retryMs : Math.min(BACKOFF_CAP_MS, 15_000 * 2 ** Math.min(debt.attempt, 10));
    const failure = error instanceof Owed || error instanceof NotYet ? null : privateMessage(error);
    const params = [debt.id, Math.round(ms), failure];
    await this.db.exec(
      `update debt set next_try = now() + $2::int * interval '1 ms', failure = $3 where id = $1 and settled_at is null`,
      params,
    );
  }
}

function debtContext(debt: DebtRow, now: Date, signal: AbortSignal): StepContext<unknown> {
  let n = debt.n - PAIRS;
  const {
    task_id: taskId,
    project_id: projectId,
    user_id: userId,
    request_id: requestId,
    created_at: createdAt,
  } = debt;
  return stepContext(
    { taskId, kind: debt.kind, key: debt.key, projectId, userId, requestId, input: debt.input, createdAt },
    {
      direction: debt.direction,
      attempt: debt.attempt - 1,
      now,
      since: createdAt,
      signal,
      failure: undefined,
      out: (step) => debt.outputs[step],
      next: () => {
        n += 1;
        return { fence: debt.fence, n };
      },
    },
  );
}
