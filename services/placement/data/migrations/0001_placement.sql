-- Who has how much of what, and who holds how much of it.
--
-- A provider's inventories and what is used of them are one row, so that taking and checking are one conditional write:
-- PostgreSQL repeats the condition on the newest version of a row that it had to wait for, and only of that row.

create table provider (
  id uuid primary key,
  name text not null constraint provider_name_unique unique,
  -- rises with every change, also of what is used
  generation bigint not null default 0,
  parent_id uuid constraint provider_parent_exists references provider,
  root_id uuid not null,
  -- class -> {total, reserved, min_unit, max_unit, step_size, allocation_ratio}
  inventories jsonb not null default '{}',
  -- class -> units: the sum of the provider's allocations, written by the very statements that write these
  used jsonb not null default '{}',
  traits text[] not null default '{}',
  aggregates uuid[] not null default '{}',
  -- told of by compute; servers are given to no other
  is_node boolean not null default false,
  -- null: it takes claims
  disabled_reason text,
  zone text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- the transaction of the latest change, by which snapshots find what is new
  changed xid8 not null default pg_current_xact_id()
);
create index provider_changed on provider (changed);
create index provider_parent on provider (parent_id) where parent_id is not null;

-- what snapshots have to forget
create table provider_gone (
  id uuid not null,
  changed xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now()
);
create index provider_gone_changed on provider_gone (changed);

create table consumer (
  id uuid primary key,
  project_id text not null,
  user_id text not null,
  -- null: from before there were types
  type text,
  generation bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index consumer_project on consumer (project_id, user_id);

create table allocation (
  consumer_id uuid not null constraint allocation_consumer references consumer on delete cascade,
  provider_id uuid not null constraint allocation_provider references provider,
  class text not null,
  amount bigint not null constraint allocation_amount_positive check (amount > 0),
  created_at timestamptz not null default now(),
  primary key (consumer_id, provider_id, class)
);
create index allocation_of_provider on allocation (provider_id);

-- The highest pair that was seen for each consumer, with the answer it was given. Kept beyond the consumer's end: a call
-- that arrives late must be refused, whatever has become of the server.
create table consumer_fence (
  consumer_id uuid primary key,
  fence bigint not null,
  seq bigint not null,
  answer jsonb,
  at timestamptz not null default now()
);
create index consumer_fence_at on consumer_fence (at);

create table custom_class (name text primary key, created_at timestamptz not null default now());
create table custom_trait (name text primary key, created_at timestamptz not null default now());

-- What happened to whom, for the operator.
create table event (
  id bigint generated always as identity primary key,
  consumer_id uuid not null,
  provider_id uuid,
  request_id text not null default '',
  what text not null,
  outcome text not null,
  detail text not null default '',
  at timestamptz not null default clock_timestamp()
);
create index event_consumer on event (consumer_id, id);
create index event_request on event (request_id) where request_id <> '';
create index event_at on event (at);

-- Whether all of `want` (class -> units) goes in beside what is used. Depends on nothing but its arguments.
create function placement_fits (inventories jsonb, used jsonb, want jsonb) returns boolean language sql immutable as $$
  select not exists (
    select from jsonb_each_text(want) w (class, amount)
     where inventories -> w.class is null
        or coalesce((used ->> w.class)::bigint, 0) + w.amount::bigint >
           floor(((inventories -> w.class ->> 'total')::float8 - (inventories -> w.class ->> 'reserved')::float8)
             * (inventories -> w.class ->> 'allocation_ratio')::float8)
        or w.amount::bigint < (inventories -> w.class ->> 'min_unit')::bigint
        or w.amount::bigint > (inventories -> w.class ->> 'max_unit')::bigint
        or w.amount::bigint % (inventories -> w.class ->> 'step_size')::bigint <> 0)
$$;

-- What is used after a change by `delta` (class -> units, also negative). Classes of which nothing is used are left out.
create function placement_add (used jsonb, delta jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(class, units), '{}')
    from (select class, sum(units::bigint) as units
            from (select * from jsonb_each_text(used) union all select * from jsonb_each_text(delta)) as a (class, units)
           group by class having sum(units::bigint) <> 0) as b
$$;
