/**
 * Every statement by which a runner moves a task. All but the lease name the task's fence and want it leased: once another
 * lease has drawn a higher fence, or ours was taken back, they touch no row, and the runner knows that it has lost the task.
 */
import type { Statement } from '#libs/platform/db';

/** A task as a lease or a reload returns it. */
export interface TaskRow {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly key: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly request_id: string;
  readonly input: unknown;
  readonly direction: 'do' | 'undo';
  readonly cancelled: boolean;
  readonly attempt: number;
  readonly failure_kind: string | null;
  readonly failure: string | null;
  readonly fence: number;
  readonly wakes: number;
  readonly created_at: Date;
  readonly waited_ms: number;
  readonly steps: readonly StepRow[] | null;
}

export interface StepRow {
  readonly step: string;
  readonly direction: 'do' | 'undo';
  readonly done: boolean;
  readonly output: unknown;
  /** Milliseconds since the epoch. */
  readonly started: number;
}

const COLUMNS = `task.id, task.kind, task.version, task.key, task.project_id, task.user_id, task.request_id, task.input,
  task.direction, task.cancelled, task.attempt, task.failure_kind, task.failure, task.fence, task.wakes, task.created_at,
  (extract(epoch from now() - task.next_try) * 1000)::float8 as waited_ms,
  (select json_agg(json_build_object('step', s.step, 'direction', s.direction, 'done', s.done_at is not null, 'output', s.output,
     'started', (extract(epoch from s.started_at) * 1000)::bigint)) from task_step s where s.task_id = task.id) as steps`;

const FREE = `state = 'running' and next_try <= now() and (lease_until is null or lease_until <= now())`;
const DUE = `select id, next_try, attempt from task where ${FREE} and project_id = p.id and kind || '@' || version = any ($1)`;

/**
 * Leases up to $2 tasks of the kinds in $1, of them at most $3 whose step has failed before. Projects take turns: the one
 * with the fewest tasks at work comes first, within a project the oldest next try. $4 owner, $5 lease in milliseconds.
 */
export const LEASE: Statement = {
  name: 'flow.lease',
  text: `with recursive projects (id) as (
      (select project_id from task where state = 'running' order by project_id limit 1)
      union all
      select (select t.project_id from task t where t.state = 'running' and t.project_id > p.id order by t.project_id limit 1)
        from projects p where p.id is not null
    ), busy as (
      select project_id, count(*) as n from task where state = 'running' and lease_until > now() group by project_id
    ), due as (
      select t.id, t.next_try, t.attempt, coalesce(b.n, 0) + row_number() over (partition by p.id order by t.next_try) as turn
        from projects p left join busy b on b.project_id = p.id
        cross join lateral (
          (${DUE} and attempt = 0 order by next_try limit $2::int)
          union all
          (${DUE} and attempt > 0 order by next_try limit least($2::int, $3::int))) t
       where p.id is not null
    ), ranked as (
      select *, count(*) filter (where attempt > 0) over (order by turn, next_try, id) as retries from due
    ), chosen as (
      select * from ranked where attempt = 0 or retries <= $3::int order by turn, next_try limit 2 * $2::int
    ), picked as (
      select t.id from chosen c join task t on t.id = c.id
       where t.state = 'running' and t.next_try <= now() and (t.lease_until is null or t.lease_until <= now())
       order by c.turn, c.next_try limit $2::int for update of t skip locked
    )
    update task set fence = nextval('flow_fence'), lease_owner = $4, lease_until = now() + $5::int * interval '1 ms',
           started_at = coalesce(started_at, now())
      from picked where task.id = picked.id returning ${COLUMNS}`,
};

/** The task as it stands, when the database was away in the middle of the work. $1 id, $2 fence, $3 lease. */
export const RELOAD: Statement = {
  name: 'flow.reload',
  text: `update task set lease_until = now() + $3::int * interval '1 ms'
    where id = $1 and fence = $2 and state = 'running' and lease_until is not null returning ${COLUMNS}`,
};

/** $1 ids, $2 their fences, $3 lease. A task that was given up meanwhile is left alone. */
export const HEARTBEAT: Statement = {
  name: 'flow.heartbeat',
  text: `update task set lease_until = now() + $3::int * interval '1 ms'
    from unnest($1::uuid[], $2::bigint[]) as held (id, fence)
    where task.id = held.id and task.fence = held.fence and state = 'running' and lease_until is not null returning task.id`,
};

/**
 * Records steps as done: $3 direction, $4 names, $5 starts, $6 ends, $7 outputs, $8 outcome. $9 is the final state where
 * these are the last ones, unless the task is to turn round first ($10: it may). $11 lease.
 */
export const RECORD: Statement = {
  name: 'flow.record',
  text: `with t as (
      update task set attempt = 0, step = null, trouble = null, trouble_cause = null,
             state = case when $9::text is null or ($10 and cancelled and direction = 'do') then state else $9 end,
             finished_at = case when $9::text is null or ($10 and cancelled and direction = 'do') then null else now() end,
             lease_until = case when $9::text is null or ($10 and cancelled and direction = 'do') then now() + $11::int * interval '1 ms' end
       where id = $1 and fence = $2 and state = 'running' and lease_until is not null returning id, fence, cancelled, wakes, state
    ), s as (
      insert into task_step (task_id, step, direction, started_at, done_at, output, outcome, fence)
      select t.id, x.step, $3, x.started, x.ended, x.output::jsonb, $8, t.fence
        from t, unnest($4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[]) as x (step, started, ended, output)
      on conflict (task_id, step, direction) do update
         set done_at = excluded.done_at, output = excluded.output, outcome = excluded.outcome, fence = excluded.fence
    )
    select cancelled, wakes, state from t`,
};

/** Looks again later, unless the task was woken since $3. $4 milliseconds, $5 step, $6 direction, $7 when it was first tried. */
export const PARK: Statement = {
  name: 'flow.park',
  text: `with t as (
      update task set next_try = now() + $4::int * interval '1 ms', lease_until = null, lease_owner = null, step = $5,
             attempt = 0, trouble = null, trouble_cause = null
       where id = $1 and fence = $2 and state = 'running' and lease_until is not null and wakes = $3 returning id, fence
    )
    , s as (
      insert into task_step (task_id, step, direction, started_at, fence) select t.id, $5, $6, $7, t.fence from t
      on conflict do nothing
    )
    select id from t`,
};

/**
 * A step failed. $3 step, $4 direction, $5 attempts by now, $6 public message, $7 private cause, $8 backoff in ms,
 * $9 the state it leaves the task in, $10 whether a cancel may cut the backoff short, $11 when the step was first tried.
 */
export const FAIL: Statement = {
  name: 'flow.fail',
  text: `with t as (
      update task set attempt = $5, step = $3, trouble = $6, trouble_cause = $7, failed_at = now(), state = $9,
             lease_until = null, lease_owner = null,
             next_try = case when $10 and cancelled and direction = 'do' then now() else now() + $8::int * interval '1 ms' end
       where id = $1 and fence = $2 and state = 'running' and lease_until is not null returning id, fence
    ), s as (
      insert into task_step (task_id, step, direction, started_at, fence, failures, failure, failure_cause)
      select t.id, $3, $4, $11, t.fence, 1, $6, $7 from t
      on conflict (task_id, step, direction) do update
         set failures = task_step.failures + 1, failure = excluded.failure, failure_cause = excluded.failure_cause
    )
    select id from t`,
};

/** Turns the task round. $3 kind, $4 public message, $5 private cause, $6 the step that failed (or null), $7 its start. */
export const TURN: Statement = {
  name: 'flow.turn',
  text: `with t as (
      update task set direction = 'undo', attempt = 0, step = null, trouble = null, trouble_cause = null,
             failure_kind = $3, failure = $4, failure_cause = $5
       where id = $1 and fence = $2 and state = 'running' and lease_until is not null and direction = 'do' returning id, fence, wakes
    ), s as (
      insert into task_step (task_id, step, direction, started_at, fence, failures, failure, failure_cause)
      select t.id, $6, 'do', $7, t.fence, 1, $4, $5 from t where $6::text is not null
      on conflict (task_id, step, direction) do update
         set failures = task_step.failures + 1, failure = excluded.failure, failure_cause = excluded.failure_cause
    )
    select wakes from t`,
};

/** Gives the task back as it is. */
export const RELEASE: Statement = {
  name: 'flow.release',
  text: `update task set lease_until = null, lease_owner = null, next_try = least(next_try, now()) where id = $1 and fence = $2 and state = 'running' and lease_until is not null`,
};

/** What bears the name of $1 and is not in $2 nobody works on: an earlier process died, or a lease's answer was lost. */
export const RECLAIM: Statement = {
  name: 'flow.reclaim',
  text: `update task set lease_until = null, lease_owner = null
    where state = 'running' and lease_until is not null and lease_owner = $1 and id <> all ($2::uuid[])`,
};

/** Starts what waited for a key that is free now; a stuck task on it is superseded. */
export const PROMOTE: Statement = {
  name: 'flow.promote',
  text: `with p as (
      update task q set state = 'running', next_try = now()
       where state = 'queued' and not exists (select 1 from task r where r.key = q.key and r.state = 'running') returning id, key
    ), s as (
      update task set state = 'abandoned', finished_at = now(), note = 'superseded by task ' || p.id
        from p where task.key = p.key and task.state = 'stuck'
    )
    select id from p`,
};

/** Stuck tasks are tried again from time to time. One whose key is taken waits on. $1 kinds. */
export const REVIVE: Statement = {
  name: 'flow.revive',
  text: `update task set state = 'running' where id in (
      select id from task s where state = 'stuck' and next_try <= now() and kind || '@' || version = any ($1)
         and not exists (select 1 from task r where r.key = s.key and r.state in ('running', 'queued')) limit 10 for update skip locked)`,
};
