/** What happened to a resource or a request: the stored tasks, steps and debts, for the operator and for instance actions. */
import { isUuid } from '#libs/kernel';
import type { Sql } from '#libs/platform/db';
import type { Direction } from './types.js';

export interface StepHistory {
  readonly step: string;
  readonly direction: Direction;
  readonly startedAt: Date;
  /** Null while it has not succeeded. */
  readonly doneAt: Date | null;
  readonly outcome: 'done' | 'owed' | null;
  readonly failures: number;
  /** Of the latest failure: public, and for operators. */
  readonly failure: string | null;
  readonly cause: string | null;
  readonly fence: number;
  readonly output: unknown;
}

export interface TaskHistory {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly key: string;
  readonly projectId: string;
  readonly userId: string;
  readonly requestId: string;
  readonly state: 'queued' | 'running' | 'stuck' | 'done' | 'undone' | 'abandoned';
  readonly direction: Direction;
  readonly cancelled: boolean;
  readonly attempt: number;
  readonly step: string | null;
  /** Why it turned round: kind and message are public, the cause is for operators. */
  readonly failureKind: string | null;
  readonly failure: string | null;
  readonly cause: string | null;
  /** What keeps the step at hand from succeeding. */
  readonly trouble: string | null;
  readonly troubleCause: string | null;
  readonly note: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly nextTry: Date;
  /** In the order in which they began. */
  readonly steps: readonly StepHistory[];
  readonly debts: readonly DebtHistory[];
}

export interface DebtHistory {
  readonly id: number;
  readonly step: string;
  readonly direction: Direction;
  readonly creditor: string;
  readonly reason: string;
  readonly attempt: number;
  readonly failure: string | null;
  readonly createdAt: Date;
  readonly settledAt: Date | null;
}

export type HistoryFilter =
  | { readonly key: string }
  | { readonly requestId: string }
  | { readonly id: string }
  /** Stuck ones of all resources. */
  | { readonly state: TaskHistory['state'] };

const TASK = `id, kind, version, key, project_id as "projectId", user_id as "userId", request_id as "requestId", state, direction, cancelled,
  attempt, step, failure_kind as "failureKind", failure, failure_cause as cause, trouble, trouble_cause as "troubleCause", note,
  created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt", next_try as "nextTry"`;

/** Tasks, oldest first, with their steps and debts. The newest `limit` (100) are returned. */
export async function taskHistory(db: Sql, filter: HistoryFilter, limit = 100): Promise<TaskHistory[]> {
  const [column, value] = condition(filter);
  if (column === 'id' && !isUuid(value)) return [];
  const tasks = await db.query<Omit<TaskHistory, 'steps' | 'debts'>>(
    `select * from (select ${TASK} from task where ${column} = $1 order by created_at desc limit $2) t order by "createdAt"`,
    [value, limit],
  );
  const ids = tasks.map((task) => task.id);
  const steps = await db.query<StepHistory & { taskId: string }>(
    `select task_id as "taskId", step, direction, started_at as "startedAt", done_at as "doneAt", outcome, failures, failure,
       failure_cause as cause, fence, output from task_step where task_id = any ($1) order by started_at, done_at`,
    [ids],
  );
  const debts = await db.query<DebtHistory & { taskId: string }>(
    `select task_id as "taskId", id, step, direction, creditor, reason, attempt, failure, created_at as "createdAt", settled_at as "settledAt"
       from debt where task_id = any ($1) order by id`,
    [ids],
  );
  const stepsOf = Map.groupBy(steps, (step) => step.taskId);
  const debtsOf = Map.groupBy(debts, (debt) => debt.taskId);
  return tasks.map((task) => ({ ...task, steps: stepsOf.get(task.id) ?? [], debts: debtsOf.get(task.id) ?? [] }));
}

function condition(filter: HistoryFilter): ['key' | 'request_id' | 'id' | 'state', string] {
  if ('key' in filter) return ['key', filter.key];
  if ('requestId' in filter) return ['request_id', filter.requestId];
  if ('id' in filter) return ['id', filter.id];
  return ['state', filter.state];
}

/** Debts not settled yet, for the auditor. */
export async function openDebts(db: Sql): Promise<(DebtHistory & { taskId: string; kind: string; key: string })[]> {
  return db.query(
    `select id, task_id as "taskId", kind, key, step, direction, creditor, reason, attempt, failure, created_at as "createdAt",
       settled_at as "settledAt" from debt where settled_at is null order by id`,
  );
}

/** How many tasks are in each state that is not final, and how long the oldest due one has waited (ms). */
export async function flowStatus(
  db: Sql,
): Promise<{ running: number; queued: number; stuck: number; debts: number; lateMs: number }> {
  const row = await db.one<{ running: number; queued: number; stuck: number; debts: number; late: number }>(
    `select count(*) filter (where state = 'running') as running, count(*) filter (where state = 'queued') as queued,
       count(*) filter (where state = 'stuck') as stuck, (select count(*) from debt where settled_at is null) as debts,
       coalesce(extract(epoch from now() - min(next_try) filter (where state = 'running' and lease_until is null)) * 1000, 0)::float8 as late
     from task where state in ('running', 'queued', 'stuck')`,
  );
  const { running = 0, queued = 0, stuck = 0, debts = 0, late = 0 } = row ?? {};
  return { running, queued, stuck, debts, lateMs: Math.max(0, Math.round(late)) };
}

/** Deletes what ended more than `days` ago, a batch at a time. Returns how many tasks went. */
export async function purgeTasks(db: Sql, days: number, batch = 1_000): Promise<number> {
  await db.exec(`delete from debt where settled_at < now() - $1::int * interval '1 day'`, [days]);
  return db.exec(
    `delete from task where id in (select id from task where finished_at < now() - $1::int * interval '1 day' order by finished_at limit $2)`,
    [days, batch],
  );
}
