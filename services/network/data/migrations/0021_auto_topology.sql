-- The network and router that a project was given because it asked for any.

create table auto_topology (
  project_id text primary key,
  network_id uuid not null constraint auto_topology_network references network on delete cascade,
  router_id  uuid constraint auto_topology_router references router on delete set null
);
create index auto_topology_network_id on auto_topology (network_id);
create index auto_topology_router_id on auto_topology (router_id) where router_id is not null;
