-- Nodes that OVN knows or knew, as agents.
create table agent (
  id uuid primary key,
  chassis text not null unique,
  host text not null,
  gateway boolean not null,
  zones text[] not null,
  bridge_mappings text not null,
  -- OVN's row of the node: another one each time that it comes.
  incarnation uuid not null,
  description text not null default '',
  admin_state_up boolean not null default true,
  created_at timestamptz not null,
  started_at timestamptz not null,
  left_at timestamptz
);
