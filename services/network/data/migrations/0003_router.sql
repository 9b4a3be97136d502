-- Routers with their legs, floating IPs and port forwardings. What must never be true is a constraint: two legs of one
-- router in overlapping subnets, two floating IPs of one network on one address, a router that goes while it is in use.

-- Keys of routers in OVN: the upper half of what is for networks and routers together, less OVN's own.
create sequence router_tunnel_key as integer minvalue 8388608 maxvalue 16711680 cycle;

create table router (
  id                 uuid primary key,
  project_id         text not null,
  name               text not null,
  description        text not null,
  admin_state_up     boolean not null,
  distributed        boolean not null,
  ha                 boolean not null,
  zone_hints         text[] not null,
  -- [{"destination": PREFIX, "nexthop": ADDRESS}]
  routes             jsonb not null default '[]',
  tunnel_key         integer not null default nextval('router_tunnel_key'),
  gateway_port_id    uuid constraint router_gateway_port references port,
  gateway_network_id uuid constraint router_gateway_network references network,
  snat               boolean not null default true,
  -- the node that the gateway is on, as OVN says
  gateway_host       text not null default '',
  tags               text[] not null default '{}',
  revision           bigint not null default 1,
  created_at         timestamptz not null,
  updated_at         timestamptz not null,
  constraint router_tunnel_key_once unique (tunnel_key),
  check ((gateway_port_id is null) = (gateway_network_id is null))
);
alter sequence router_tunnel_key owned by router.tunnel_key;
create index router_project on router (project_id, created_at, id);
create index router_name on router (name);
create index router_gateway on router (gateway_network_id) where gateway_network_id is not null;
create unique index router_gateway_port_once on router (gateway_port_id) where gateway_port_id is not null;
create index router_tags on router using gin (tags);

-- The subnets that a router has a leg in; those of its gateway's network too, for they must not overlap either.
create table router_leg (
  router_id  uuid not null constraint router_leg_router references router,
  port_id    uuid not null constraint router_leg_port references port,
  subnet_id  uuid not null constraint router_leg_subnet references subnet,
  cidr       cidr not null,
  is_gateway boolean not null,
  primary key (port_id, subnet_id),
  constraint router_leg_overlap exclude using gist (router_id with =, cidr inet_ops with &&)
);
create index router_leg_subnet_id on router_leg (subnet_id);

create table floatingip (
  id            uuid primary key,
  project_id    text not null,
  description   text not null,
  network_id    uuid not null constraint floatingip_network references network,
  -- the port that holds its address
  own_port_id   uuid not null unique constraint floatingip_own_port references port,
  address       inet not null,
  router_id     uuid constraint floatingip_router references router,
  port_id       uuid constraint floatingip_port references port,
  fixed_address inet,
  dns_name      text not null,
  dns_domain    text not null,
  -- what OVN has of it: ROUTER ADDRESS central|distributed
  realized      text not null default '',
  tags          text[] not null default '{}',
  revision      bigint not null default 1,
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  check ((port_id is null) = (fixed_address is null)),
  check (port_id is null or router_id is not null),
  constraint floatingip_once unique (network_id, port_id, fixed_address)
);
create index floatingip_project on floatingip (project_id, created_at, id);
create index floatingip_router_id on floatingip (router_id) where router_id is not null;
create index floatingip_port_id on floatingip (port_id) where port_id is not null;
create index floatingip_address on floatingip (address);
create index floatingip_tags on floatingip using gin (tags);
