-- What each node is to hold of each server, what it has said, and whether it may take more.

-- The desired state of one server on one node, as the node is told it. Written by flows alone, each time with a higher
-- pair; no foreign key, for the row outlives its server until the node has confirmed that nothing is left.
create table server_node (
  server_id uuid not null,
  node text not null,
  power text not null constraint server_node_power_known check (power in ('running', 'stopped', 'absent')),
  fence bigint not null,
  seq bigint not null,
  generation bigint not null,
  changed_at timestamptz not null,
  -- when the node said that it is so; null again with each new pair
  confirmed_at timestamptz,
  primary key (server_id, node)
) with (fillfactor = 70);
create index server_node_node on server_node (node);
create index server_node_leaving on server_node (node) where power = 'absent' and confirmed_at is null;

-- While a server leaves one node for another, both speak of it.
alter table server_report
  drop constraint server_report_pkey,
  add primary key (server_id, node),
  -- it changed by itself, not by a command
  add column event boolean not null default false;
create index server_report_node on server_report (node);

-- What nodes said and what was made of it, for the operator's timeline; kept for some days.
create table node_event (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  node text not null,
  server_id uuid,
  what text not null,
  outcome text not null,
  detail text not null default '',
  request_id text not null default ''
);
create index node_event_server on node_event (server_id, at) where server_id is not null;
create index node_event_request on node_event (request_id) where request_id <> '';
create index node_event_at on node_event using brin (at);

alter table node
  -- up: heard of, and nothing is left on it that should have gone. Only such a node takes new servers.
  add column state text not null default 'down' constraint node_state_known check (state in ('up', 'down')),
  add column state_reason text not null default 'not heard of yet',
  add column state_since timestamptz not null default now(),
  -- what placement was told last, and when; a node counts as closed only once placement knows
  add column told text not null default '',
  add column told_at timestamptz;
