-- Trunks: one port that carries others as VLANs. A port is in one trunk at most, as its parent or beneath it, and can
-- not go meanwhile.

create table trunk (
  id             uuid primary key,
  project_id     text not null,
  name           text not null,
  description    text not null,
  admin_state_up boolean not null,
  tags           text[] not null default '{}',
  revision       bigint not null default 1,
  created_at     timestamptz not null,
  updated_at     timestamptz not null
);
create index trunk_project on trunk (project_id, created_at, id);
create index trunk_name on trunk (name);

create table trunk_port (
  port_id  uuid primary key constraint trunk_port_port references port,
  trunk_id uuid not null references trunk on delete cascade,
  -- the VLAN by which the parent carries it; null for the parent itself
  vlan     smallint check (vlan between 1 and 4094),
  constraint trunk_port_vlan unique nulls not distinct (trunk_id, vlan)
);
