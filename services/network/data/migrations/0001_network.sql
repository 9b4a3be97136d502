-- The books of the network service. What must never be true is a constraint here, not a rule in code: two ports with one
-- address or one MAC on a network, overlapping subnets, two default groups, the same rule twice, a resource that is gone
-- while something still stands on it.

create extension if not exists btree_gist;

create sequence segmentation_id as integer minvalue 1 maxvalue 16777215 cycle;

create table network (
  id              uuid primary key,
  project_id      text not null,
  name            text not null,
  description     text not null,
  admin_state_up  boolean not null,
  shared          boolean not null,
  mtu             integer not null check (mtu between 68 and 65535),
  port_security   boolean not null,
  segmentation_id integer not null unique,
  revision        bigint not null default 1,
  created_at      timestamptz not null,
  updated_at      timestamptz not null
);
create index network_project on network (project_id, created_at, id);
create index network_name on network (name);
create index network_shared on network (id) where shared;

create table subnet (
  id           uuid primary key,
  network_id   uuid not null references network,
  project_id   text not null,
  name         text not null,
  description  text not null,
  version      smallint not null check (version in (4, 6)),
  cidr         cidr not null,
  gateway      inet,
  dhcp         boolean not null,
  -- [{"start": ADDRESS, "end": ADDRESS}], in order, apart, without the gateway
  pools        jsonb not null,
  dns          text[] not null,
  -- [{"destination": PREFIX, "nexthop": ADDRESS}]
  routes       jsonb not null,
  address_mode text check (address_mode in ('slaac', 'dhcpv6-stateful', 'dhcpv6-stateless')),
  ra_mode      text check (ra_mode in ('slaac', 'dhcpv6-stateful', 'dhcpv6-stateless')),
  revision     bigint not null default 1,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  check (family(cidr) = version),
  check (gateway is null or family(gateway) = version),
  constraint subnet_overlap exclude using gist (network_id with =, cidr inet_ops with &&)
);
create index subnet_network on subnet (network_id);
create index subnet_project on subnet (project_id, created_at, id);
create index subnet_name on subnet (name);

create table port (
  id              uuid primary key,
  network_id      uuid not null references network,
  -- empty for ports that the cloud keeps for itself
  project_id      text not null,
  name            text not null,
  description     text not null,
  mac             macaddr not null,
  admin_state_up  boolean not null,
  device_id       text not null,
  device_owner    text not null,
  status          text not null check (status in ('ACTIVE', 'DOWN')),
  host            text not null,
  vnic_type       text not null,
  profile         jsonb not null,
  port_security   boolean not null,
  -- [{"mac": MAC, "ip": ADDRESS or PREFIX}]
  address_pairs   jsonb not null,
  hostname        text not null,
  owned_by_server boolean not null,
  revision        bigint not null default 1,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  constraint port_mac unique (network_id, mac)
);
create index port_project on port (project_id, created_at, id);
create index port_device on port (device_id) where device_id <> '';
create index port_name on port (name) where name <> '';
create index port_host on port (host) where host <> '';
-- the one port per network behind which metadata answers
create unique index port_metadata on port (network_id) where device_owner = 'network:distributed';

create table ip_allocation (
  network_id uuid not null,
  address    inet not null,
  subnet_id  uuid not null references subnet,
  port_id    uuid not null references port on delete cascade,
  ordinal    smallint not null,
  constraint ip_allocation_address primary key (network_id, address)
);
create index ip_allocation_port on ip_allocation (port_id);
create index ip_allocation_subnet on ip_allocation (subnet_id);

create table security_group (
  id          uuid primary key,
  project_id  text not null,
  name        text not null,
  description text not null,
  stateful    boolean not null,
  is_default  boolean not null,
  revision    bigint not null default 1,
  created_at  timestamptz not null,
  updated_at  timestamptz not null
);
create unique index security_group_default on security_group (project_id) where is_default;
create index security_group_project on security_group (project_id, created_at, id);
create index security_group_name on security_group (name);

create table security_group_rule (
  id                uuid primary key,
  group_id          uuid not null references security_group on delete cascade,
  project_id        text not null,
  description       text not null,
  direction         text not null check (direction in ('ingress', 'egress')),
  ethertype         text not null check (ethertype in ('IPv4', 'IPv6')),
  protocol          text,
  -- the protocol's number: `6` and `tcp` are one
  protocol_number   smallint check (protocol_number between 0 and 255),
  port_min          integer,
  port_max          integer,
  remote_prefix     text,
  normalized_prefix cidr,
  remote_group_id   uuid references security_group on delete cascade,
  revision          bigint not null default 1,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  check (remote_prefix is null or remote_group_id is null),
  constraint security_group_rule_once unique nulls not distinct
    (group_id, direction, ethertype, protocol_number, port_min, port_max, normalized_prefix, remote_group_id)
);
create index security_group_rule_remote on security_group_rule (remote_group_id) where remote_group_id is not null;
create index security_group_rule_project on security_group_rule (project_id, created_at, id);

create table port_security_group (
  port_id  uuid not null references port on delete cascade,
  group_id uuid not null,
  primary key (port_id, group_id),
  constraint port_security_group_in_use foreign key (group_id) references security_group
);
create index port_security_group_group on port_security_group (group_id);

create table quota_limit (
  project_id text not null,
  resource   text not null,
  maximum    integer not null check (maximum >= -1),
  primary key (project_id, resource)
);
create table quota_usage (
  project_id text not null,
  resource   text not null,
  used       integer not null check (used >= 0),
  primary key (project_id, resource)
);

-- The newest call of compute about each server. It outlives the server: a call that was overtaken must find it.
create table server_fence (
  server_id  uuid primary key,
  fence      bigint not null,
  seq        bigint not null,
  call       text not null,
  -- {"reply": ...} or {"failure": {kind, type, message}}
  result     jsonb not null,
  updated_at timestamptz not null
);

-- What has yet to be brought into OVN. Written in the transaction of the change; taken away when applied, unless it was
-- marked again meanwhile.
create sequence ovn_mark;
create table ovn_dirty (
  kind       text not null check (kind in ('network', 'subnet', 'port', 'security_group')),
  id         uuid not null,
  mark       bigint not null default nextval('ovn_mark'),
  since      timestamptz not null,
  tries      integer not null default 0,
  not_before timestamptz not null,
  error      text not null default '',
  primary key (kind, id)
);
create index ovn_dirty_order on ovn_dirty (mark);
-- Draws the number of each reconciler; OVN's rows name the newest, so that an older one can no longer write.
create sequence ovn_reconciler;

-- What happened, for the operator who asks why. Kept for some days.
create table event (
  id          bigint generated always as identity primary key,
  at          timestamptz not null,
  request_id  text not null,
  resource_id text not null,
  what        text not null,
  outcome     text not null,
  detail      text not null,
  related     text[] not null
);
create index event_resource on event (resource_id, id);
create index event_request on event (request_id, id);
create index event_at on event (at);
