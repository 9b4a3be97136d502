-- Aggregates of nodes. A node's zone is that of its aggregate, if one gives it any, else the one it enrolled with.

create table aggregate (
  number int primary key generated always as identity,
  -- of the same aggregate in placement
  id uuid not null unique,
  name text not null constraint aggregate_name_unique unique,
  metadata jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz
);

create table aggregate_host (
  aggregate int not null constraint aggregate_of_host references aggregate,
  host text not null constraint aggregate_host_node references node on delete cascade,
  number bigint not null generated always as identity,
  primary key (aggregate, host)
);
create index aggregate_host_host on aggregate_host (host);

alter table node add column own_zone text not null default 'nova';
update node set own_zone = availability_zone;

-- The zone of a node that enrolled with that of its own.
create function node_zone (host text, own text) returns text language sql stable as $$
  select coalesce((
    select a.metadata ->> 'availability_zone' from aggregate a join aggregate_host h on h.aggregate = a.number
     where h.host = node_zone.host and a.metadata ? 'availability_zone' order by a.number limit 1), own)
$$;

alter table node
  -- servers that did not start on it since one did, and when the latest did not
  add column failed_builds int not null default 0,
  add column failed_at timestamptz;
