-- Nodes that an operator took out of the cloud, until placement has forgotten them too.
create table gone_node (
  name text primary key,
  hypervisor_id uuid not null,
  gone_at timestamptz not null
);
