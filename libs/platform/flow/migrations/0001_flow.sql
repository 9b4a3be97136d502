-- Durable operations. Whoever leases a task draws the next fence; a write of a task that does not name the task's
-- current fence does nothing.

create sequence flow_fence as bigint;

create table task (
  id uuid primary key,
  kind text not null,
  version int not null,
  -- the resource, such as server/<uuid>
  key text not null,
  -- '' where no project is behind it; leasing is fair between projects
  project_id text not null default '',
  user_id text not null default '',
  request_id text not null default '',
  input jsonb not null,
  -- queued: waits until the key is free. stuck: gave up for now and holds the key no more.
  state text not null default 'running'
    constraint task_state_known check (state in ('queued', 'running', 'stuck', 'done', 'undone', 'abandoned')),
  direction text not null default 'do' constraint task_direction_known check (direction in ('do', 'undo')),
  cancelled boolean not null default false,
  -- consecutive failures of the step at hand
  attempt int not null default 0,
  step text,
  -- why it turned round: kind and message are public, the cause is for operators
  failure_kind text,
  failure text,
  failure_cause text,
  -- the latest failure of the step at hand; cleared when the step succeeds
  trouble text,
  trouble_cause text,
  -- what became of it otherwise: superseded, abandoned by whom and why
  note text,
  -- of the latest lease; 0: never leased
  fence bigint not null default 0,
  lease_owner text,
  lease_until timestamptz,
  next_try timestamptz not null default now(),
  failed_at timestamptz,
  wakes bigint not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);

-- one operation at a time on each resource, and at most one that waits for it
create unique index task_running_key on task (key) where state = 'running';
create unique index task_queued_key on task (key) where state = 'queued';
create index task_due on task (project_id, next_try) where state = 'running';
create index task_leased on task (project_id) where state = 'running' and lease_until is not null;
create index task_stuck on task (next_try) where state = 'stuck';
create index task_key on task (key, created_at);
create index task_request on task (request_id) where request_id <> '';
create index task_finished on task (finished_at) where finished_at is not null;

create table task_step (
  task_id uuid not null references task on delete cascade,
  step text not null,
  direction text not null,
  -- null while it has only failed so far
  done_at timestamptz,
  started_at timestamptz not null,
  output jsonb,
  -- done: it has happened. owed: it could not, and a debt stands for it.
  outcome text constraint task_step_outcome_known check (outcome in ('done', 'owed')),
  fence bigint not null,
  failures int not null default 0,
  failure text,
  failure_cause text,
  primary key (task_id, step, direction)
);

-- What a task could not do because the other side was away. It keeps the pair of the attempt, so that it can never
-- undo what a later task has done since.
create table debt (
  id bigint generated always as identity primary key,
  task_id uuid not null,
  kind text not null,
  version int not null,
  key text not null,
  project_id text not null default '',
  user_id text not null default '',
  request_id text not null default '',
  step text not null,
  direction text not null,
  creditor text not null,
  reason text not null,
  input jsonb not null,
  outputs jsonb not null,
  fence bigint not null,
  n bigint not null,
  attempt int not null default 0,
  failure text,
  next_try timestamptz not null default now(),
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  constraint debt_once unique (task_id, step, direction)
);
create index debt_due on debt (next_try) where settled_at is null;
create index debt_creditor on debt (creditor) where settled_at is null;
create index debt_key on debt (key);

create table outbox (
  id bigint generated always as identity primary key,
  topic text not null,
  body jsonb not null,
  request_id text not null default '',
  created_at timestamptz not null default now(),
  -- not worth sending any more after this
  expires_at timestamptz
);
