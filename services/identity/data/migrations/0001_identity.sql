-- Numbers that every token and every cache compares with. The one row is locked until commit by whoever raises a number,
-- so numbers appear in the order of commits and a reader that has seen n has seen everything below n.
create table ledger (
  only_row boolean primary key default true check (only_row),
  -- the last revocation
  revocation_seq bigint not null default 0,
  -- raised by each change of roles, implications, services, endpoints
  directory_version bigint not null default 1
);
insert into ledger default values;

-- A domain is a row with is_domain; ids of both come from one space.
create table projects (
  id text primary key check (id <> ''),
  name text not null,
  domain_id text references projects (id) on delete cascade,
  parent_id text references projects (id),
  is_domain boolean not null default false,
  enabled boolean not null default true,
  description text not null default '',
  -- its domain first, its parent last; never changes
  ancestors text[] not null default '{}',
  tags text[] not null default '{}',
  options jsonb not null default '{}',
  extra jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint projects_name_unique unique nulls not distinct (domain_id, name),
  constraint projects_domain_shape check (is_domain = (domain_id is null) and is_domain = (parent_id is null))
);
create index projects_parent on projects (parent_id);
create index projects_ancestors on projects using gin (ancestors);

create table users (
  id text primary key check (id <> ''),
  domain_id text not null references projects (id) on delete cascade,
  name text not null,
  enabled boolean not null default true,
  default_project_id text,
  password_hash text,
  options jsonb not null default '{}',
  extra jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint users_name_unique unique (domain_id, name)
);
create index users_default_project on users (default_project_id) where default_project_id is not null;

create table groups (
  id text primary key check (id <> ''),
  domain_id text not null references projects (id) on delete cascade,
  name text not null,
  description text not null default '',
  extra jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint groups_name_unique unique (domain_id, name)
);

create table group_members (
  group_id text not null references groups (id) on delete cascade,
  user_id text not null references users (id) on delete cascade,
  primary key (user_id, group_id)
);
create index group_members_group on group_members (group_id);

create table roles (
  id text primary key check (id <> ''),
  name text not null,
  domain_id text references projects (id) on delete cascade,
  description text,
  options jsonb not null default '{}',
  extra jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint roles_name_unique unique nulls not distinct (domain_id, name)
);

create table implied_roles (
  prior_id text not null references roles (id) on delete cascade,
  implied_id text not null references roles (id) on delete cascade,
  primary key (prior_id, implied_id),
  check (prior_id <> implied_id)
);

-- A role for a user or a group on a project, a domain or (no target) the system.
create table assignments (
  role_id text not null references roles (id) on delete cascade,
  user_id text references users (id) on delete cascade,
  group_id text references groups (id) on delete cascade,
  target_id text references projects (id) on delete cascade,
  inherited boolean not null default false,
  constraint assignments_unique unique nulls not distinct (user_id, group_id, target_id, role_id, inherited),
  constraint assignments_actor check (num_nonnulls(user_id, group_id) = 1),
  constraint assignments_inherited check (target_id is not null or not inherited)
);
create index assignments_user on assignments (user_id) where user_id is not null;
create index assignments_group on assignments (group_id) where group_id is not null;
create index assignments_target on assignments (target_id);
create index assignments_role on assignments (role_id);

create table regions (
  id text primary key check (id <> ''),
  description text not null default '',
  parent_region_id text references regions (id),
  extra jsonb not null default '{}'
);

create table services (
  id text primary key check (id <> ''),
  type text not null,
  name text,
  description text,
  enabled boolean not null default true,
  extra jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table endpoints (
  id text primary key check (id <> ''),
  service_id text not null references services (id) on delete cascade,
  region_id text references regions (id),
  interface text not null check (interface in ('public', 'internal', 'admin')),
  url text not null,
  enabled boolean not null default true,
  -- made from the configuration, and kept in step with it
  configured boolean not null default false,
  extra jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create index endpoints_service on endpoints (service_id);
create unique index endpoints_configured on endpoints (service_id, region_id, interface) where configured;

create table policies (
  id text primary key check (id <> ''),
  type text not null,
  blob text not null,
  extra jsonb not null default '{}'
);

create table credentials (
  id text primary key check (id <> ''),
  user_id text not null references users (id) on delete cascade,
  project_id text references projects (id) on delete cascade,
  type text not null,
  -- AES-256-GCM: nonce, tag, text; key_id names the key
  sealed_blob bytea not null,
  key_id text not null,
  extra jsonb not null default '{}'
);
create index credentials_user on credentials (user_id);

create table application_credentials (
  id text primary key check (id <> ''),
  user_id text not null references users (id) on delete cascade,
  project_id text not null references projects (id) on delete cascade,
  name text not null,
  description text,
  secret_hash text not null,
  role_ids text[] not null check (cardinality(role_ids) > 0),
  unrestricted boolean not null default false,
  expires_at timestamp,
  created_at timestamptz not null default now(),
  constraint application_credentials_name_unique unique (user_id, name)
);

create table trusts (
  id text primary key check (id <> ''),
  trustor_user_id text not null references users (id) on delete cascade,
  trustee_user_id text not null references users (id) on delete cascade,
  project_id text not null references projects (id) on delete cascade,
  impersonation boolean not null,
  role_ids text[] not null check (cardinality(role_ids) > 0),
  expires_at timestamp,
  remaining_uses integer check (remaining_uses >= 0),
  created_at timestamptz not null default now()
);
create index trusts_trustor on trusts (trustor_user_id);
create index trusts_trustee on trusts (trustee_user_id);

-- What tokens have lost. A row serves until the last token that it could concern has expired, and some time beyond for
-- those who ask about expired tokens.
create table revocations (
  seq bigint primary key,
  issued_before_ms bigint not null,
  until_ms bigint not null,
  audit_id text,
  user_id text,
  project_id text,
  domain_id text,
  role_id text,
  delegation_id text,
  -- the operation that wrote it and its request, for the operator
  reason text not null,
  request_id text
);
create index revocations_until on revocations (until_ms);
