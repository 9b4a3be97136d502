-- The disks of servers. A row goes with its server.
create table block_device (
  id uuid primary key,
  server_id uuid not null references server (id) on delete cascade,
  -- their order in the guest
  place int not null,
  kind text not null constraint block_device_kind_known check (kind in ('root', 'ephemeral', 'swap')),
  -- MiB; the root disk's is the flavor's. 0 for any other: the server does not have it now
  size_mb bigint not null constraint block_device_size_natural check (size_mb >= 0),
  -- while the server is given another flavor: what the disk was, and what it becomes
  from_mb bigint,
  to_mb bigint,
  -- what the flavor offers as a whole
  by_flavor boolean not null,
  format text not null default '',
  bus text not null default '',
  device_name text not null default '',
  tag text not null default ''
);
create index block_device_server on block_device (server_id);
