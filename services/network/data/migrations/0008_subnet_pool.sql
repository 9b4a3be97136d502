-- Address scopes, in which no two prefixes overlap; subnet pools, from which subnets get their prefixes.

create table address_scope (
  id         uuid primary key,
  project_id text not null,
  name       text not null,
  version    smallint not null check (version in (4, 6)),
  tags       text[] not null default '{}',
  revision   bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index address_scope_project on address_scope (project_id, created_at, id);

create table subnetpool (
  id             uuid primary key,
  project_id     text not null,
  name           text not null,
  description    text not null,
  version        smallint not null check (version in (4, 6)),
  min_length     smallint not null,
  max_length     smallint not null,
  default_length smallint not null,
  -- what a project may have of it: addresses of IPv4, prefixes of 64 bits of IPv6
  default_quota  bigint check (default_quota >= 0),
  is_default     boolean not null,
  scope_id       uuid,
  tags           text[] not null default '{}',
  revision       bigint not null default 1,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  constraint subnetpool_scope foreign key (scope_id) references address_scope,
  check (min_length <= default_length and default_length <= max_length)
);
create index subnetpool_project on subnetpool (project_id, created_at, id);
create unique index subnetpool_default on subnetpool (version) where is_default;

create table subnetpool_prefix (
  pool_id  uuid not null references subnetpool on delete cascade,
  -- the pool's, repeated for the constraint
  scope_id uuid,
  prefix   cidr not null,
  primary key (pool_id, prefix),
  constraint subnetpool_prefix_overlap exclude using gist (scope_id with =, prefix inet_ops with &&)
    where (scope_id is not null)
);

alter table subnet
  add column pool_id uuid,
  -- A pool can not go while subnets are from it.
  add constraint subnet_pool foreign key (pool_id) references subnetpool,
  add constraint subnet_pool_overlap exclude using gist (pool_id with =, cidr inet_ops with &&) where (pool_id is not null);
