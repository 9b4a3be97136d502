/**
 * What code outside the runner does with tasks: insert, cancel, wake, abandon, resume. Plain functions over a transaction,
 * so that an api inserts a task together with its rows and knows nothing of the flow but its kind and input.
 *
 * Locks are taken in one order everywhere: first the resource's rows, then its task.
 */
import { fail } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';

/** Woken after each commit that gives runners something to do. */
export const TASK_CHANNEL = 'flow_task';
export const OUTBOX_CHANNEL = 'flow_outbox';
export const DEBT_CHANNEL = 'flow_debt';

export interface NewTask<I = unknown> {
  /** A fresh UUID; an input, so that a repeated insert is refused rather than doubled. */
  readonly id: string;
  readonly kind: string;
  /** 1 unless told. */
  readonly version?: number;
  /** The resource it works on, `server/<uuid>`: one running task each. */
  readonly key: string;
  readonly projectId?: string;
  readonly userId?: string;
  readonly requestId?: string;
  /** JSON; ids of everything the flow will make are in it. No secrets: tasks are shown to operators. */
  readonly input: I;
  /** Wait for the key instead of failing: the task starts when the one before has ended. Used by deletes. */
  readonly queue?: boolean;
}

const INSERT = {
  name: 'flow.insert',
  text: `insert into task (id, kind, version, key, project_id, user_id, request_id, input)
    select $1::uuid, $2, $3::int, $4, $5, $6, $7, $8::jsonb
     where not exists (select 1 from task where key = $4 and state = 'queued')
    on conflict (key) where state = 'running' do nothing`,
};
const INSERT_QUEUED = {
  name: 'flow.insert_queued',
  text: `insert into task (id, kind, version, key, project_id, user_id, request_id, input, state)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 'queued')
    on conflict (key) where state = 'queued' do nothing`,
};
/** A new intent takes the place of one that got stuck: from here on it owns the resource. */
const SUPERSEDE = {
  name: 'flow.supersede',
  text: `update task set state = 'abandoned', finished_at = now(), note = 'superseded by task ' || $2
    where key = $1 and state = 'stuck'`,
};

/**
 * Inserts a task in the caller's transaction; a runner of this process starts it milliseconds after the commit. Returns
 * whether it runs at once or was queued behind the running one. Throws `conflict` when the resource is busy (or, with
 * `queue`, when another one waits already).
 */
export async function insertTask<I>(tx: Tx, task: NewTask<I>): Promise<'running' | 'queued'> {
  const { id, kind, version = 1, key, projectId = '', userId = '', requestId = '', input } = task;
  const params = [id, kind, version, key, projectId, userId, requestId, JSON.stringify(input)];
  const busy = () =>
    fail.conflict('Another operation on this resource is in progress.', { cause: new Error(`task on ${key}`) });
  for (;;) {
    if ((await tx.exec(INSERT, params)) === 1) {
      await tx.exec(SUPERSEDE, [key, id]);
      tx.notify(TASK_CHANNEL);
      return 'running';
    }
    if (!task.queue) throw busy();
    // Holding the running task's row until we commit: it can not end without seeing the one that waits.
    const running = await tx.one(`select id from task where key = $1 and state = 'running' for update`, [key]);
    const queued = await tx.one(`select id from task where key = $1 and state = 'queued'`, [key]);
    if (queued) throw busy();
    if (!running) continue;
    if ((await tx.exec(INSERT_QUEUED, params)) === 1) return 'queued';
    throw busy();
  }
}

/**
 * Asks the running task of a resource to turn round at its next record; nothing to do where none runs or its flow can
 * not be cancelled. Returns the ids of the tasks asked.
 */
export async function requestCancel(tx: Tx, key: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `update task set cancelled = true, wakes = wakes + 1, next_try = now()
      where key = $1 and state = 'running' and direction = 'do' and not cancelled returning id`,
    [key],
  );
  if (rows.length) tx.notify(TASK_CHANNEL);
  return rows.map((row) => row.id);
}

/** Drops the task that waits for a resource, and has not begun, for the sake of another. Called before `requestCancel`. */
export async function withdrawWaiting(tx: Tx, key: string, note: string): Promise<boolean> {
  const withdrawn = await tx.exec(
    `update task set state = 'abandoned', finished_at = now(), note = $2 where key = $1 and state = 'queued'`,
    [key, note],
  );
  return withdrawn === 1;
}

const WAKE = {
  name: 'flow.wake',
  text: `update task set wakes = wakes + 1,
      next_try = case when attempt = 0 then least(next_try, now()) else least(next_try, greatest(now(), failed_at + interval '1 second')) end
    where key = any ($1) and state = 'running'`,
};

/**
 * Something may have changed for these resources: their parked tasks look again now. Carries no data. A failing task is
 * not hurried beyond one try a second.
 */
export async function wakeTasks(on: Db | Tx, keys: readonly string[]): Promise<void> {
  if ('tx' in on) {
    await on.tx((tx) => wakeTasks(tx, keys));
    return;
  }
  if ((await on.exec(WAKE, [keys])) > 0) on.notify(TASK_CHANNEL);
}

/** Tries a stuck task again now, with all its attempts before it. Returns whether there was one. */
export async function resumeTask(tx: Tx, id: string): Promise<boolean> {
  const resumed = await tx.exec(
    `update task set state = 'running', attempt = 0, next_try = now(), lease_until = null where id = $1 and state = 'stuck'`,
    [id],
  );
  if (resumed) tx.notify(TASK_CHANNEL);
  return resumed === 1;
}

/** Ends a stuck task as it is, with the operator's reason. What it left behind is for the auditor. */
export async function abandonTask(tx: Tx, id: string, reason: string): Promise<boolean> {
  const abandoned = await tx.exec(
    `update task set state = 'abandoned', finished_at = now(), note = $2
      where id = $1 and state = 'stuck'`,
    [id, reason],
  );
  return abandoned === 1;
}

/** After a restore from a backup: the next fence is above any that a receiver has reported. */
export async function raiseFence(db: Db, above: number): Promise<void> {
  await db.query(`select setval('flow_fence', greatest($1, (select last_value from flow_fence)))`, [above]);
}
