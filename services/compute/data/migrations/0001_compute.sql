-- The books of compute. `server` is the hot table: only servers that exist. A row leaves it in the last transaction of
-- its delete, which writes what is worth keeping into `deleted_server`.
--
-- vm_state and task_state change by the moves of server.machine.ts alone, each a compare-and-set.

create table node (
  name text primary key,
  -- the agent's own stable id; also the resource provider's id in placement
  hypervisor_id uuid not null unique,
  -- small ids and the service's uuid, for the older microversions
  number int not null generated always as identity unique,
  service_id uuid not null default gen_random_uuid() unique,
  hypervisor_type text not null,
  hypervisor_version bigint not null default 0,
  accel text not null default '',
  accel_reason text not null default '',
  vcpus bigint not null,
  memory_mb bigint not null,
  disk_gb bigint not null,
  address text not null default '',
  agent_grpc text not null default '',
  agent_version text not null default '',
  cpu_info jsonb not null default '{}',
  availability_zone text not null default 'nova',
  -- by the operator
  disabled boolean not null default false,
  disabled_reason text,
  forced_down boolean not null default false,
  -- from the latest beat
  free_disk_gb bigint not null default 0,
  free_memory_mb bigint not null default 0,
  load_average text not null default '',
  uptime_s bigint not null default 0,
  digest text not null default '',
  trouble text,
  highest_fence bigint not null default 0,
  enrolled_at timestamptz not null,
  last_seen timestamptz not null,
  -- of what the operator or an enrolment changed, not of beats
  updated_at timestamptz not null
);

create table flavor (
  id text primary key,
  number int not null generated always as identity unique,
  name text not null constraint flavor_name_unique unique,
  vcpus int not null constraint flavor_vcpus_positive check (vcpus > 0),
  memory_mb int not null constraint flavor_memory_positive check (memory_mb > 0),
  disk_gb int not null constraint flavor_disk_natural check (disk_gb >= 0),
  ephemeral_gb int not null default 0,
  swap_mb int not null default 0,
  rxtx_factor double precision not null default 1,
  is_public boolean not null default true,
  disabled boolean not null default false,
  description text,
  extra_specs jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz
);

create table flavor_access (
  flavor_id text not null references flavor on delete cascade,
  project_id text not null,
  primary key (flavor_id, project_id)
);

create table keypair (
  user_id text not null,
  name text not null,
  number int not null generated always as identity,
  type text not null constraint keypair_type_known check (type in ('ssh', 'x509')),
  public_key text not null,
  fingerprint text not null,
  created_at timestamptz not null,
  constraint keypair_name_unique primary key (user_id, name)
);

-- Limits that differ from the defaults; -1 is without limit. The project '' holds changed defaults; a user of '' stands
-- for the whole project, any other for that user's share of it.
create table quota (
  project_id text not null,
  user_id text not null default '',
  resource text not null,
  hard_limit bigint not null constraint quota_limit_known check (hard_limit >= -1),
  primary key (project_id, user_id, resource)
);

-- What the project's servers use. Changed in the transaction that inserts or buries the server, by a conditional update.
create table quota_usage (
  project_id text primary key,
  instances bigint not null constraint quota_usage_instances check (instances >= 0),
  cores bigint not null constraint quota_usage_cores check (cores >= 0),
  ram bigint not null constraint quota_usage_ram check (ram >= 0)
) with (fillfactor = 50);

create table server (
  id uuid primary key,
  project_id text not null,
  user_id text not null,
  name text not null,
  hostname text not null,
  description text,
  vm_state text not null
    constraint server_vm_state_known check (vm_state in ('building', 'active', 'stopped', 'error', 'deleted')),
  task_state text,
  -- as libvirt and Nova number them: 0 none, 1 running, 3 paused, 4 shut down, 6 crashed
  power_state int not null default 0,
  -- what the node is to make of it: running, stopped, absent. `generation` rises with each change of what is desired.
  power text not null constraint server_power_known check (power in ('running', 'stopped', 'absent')),
  generation bigint not null default 1,
  reboot_count bigint not null default 0,
  reboot_kind text not null default '',
  -- of the latest command that was sent to the node
  fence bigint not null default 0,
  seq bigint not null default 0,
  -- where it is (the node's name), or was claimed to be
  host text,
  hypervisor_id uuid,
  -- the node's zone once it has one, else the zone asked for
  availability_zone text,
  -- the zone asked for, which binds later moves
  pinned_zone text,
  image_id uuid,
  -- what the image was when the server was made: {name, diskFormat, size, virtualSize, sha256, properties}
  image jsonb,
  -- {id, name, vcpus, memoryMb, diskGb, ephemeralGb, swapMb, rxtxFactor, extraSpecs}
  flavor jsonb not null,
  flavor_id text not null,
  key_name text,
  key_type text,
  key_data text,
  metadata jsonb not null default '{}',
  system_metadata jsonb not null default '{}',
  -- sealed (AES-256-GCM, bound to the id); user data is base64 text as the tenant sent it
  user_data bytea,
  -- sealed; gone once the server has booted
  admin_pass bytea,
  -- sealed; [{path, contents}], gone once the server has booted
  files bytea,
  config_drive boolean not null default false,
  -- [{portId, adopt, networkId, fixedIp, tag}], port ids chosen before the first step
  nics jsonb not null default '[]',
  -- the ports as network told last: [{portId, networkId, network, mac, mtu, adopted, tag, fixedIps: [{subnetId, address, version}]}]
  addresses jsonb not null default '[]',
  -- [{id, name}]
  security_groups jsonb not null default '[]',
  tags text[] not null default '{}',
  scheduler_hints jsonb not null default '{}',
  access_ip_v4 text not null default '',
  access_ip_v6 text not null default '',
  disk_config text not null default 'MANUAL',
  locked_by text,
  locked_reason text,
  -- {code, message, details, created}
  fault jsonb,
  reservation_id text not null,
  launch_index int not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  launched_at timestamptz,
  terminated_at timestamptz
) with (fillfactor = 70);

create index server_project on server (project_id, created_at desc, id desc);
create index server_created on server (created_at desc, id desc);
create index server_host on server (host) where host is not null;

-- As `server`, without what could be a secret. Kept for `changes-since`, actions and the operator's questions.
create table deleted_server (like server including defaults including constraints, primary key (id));
create index deleted_server_project on deleted_server (project_id, updated_at);
create index deleted_server_updated on deleted_server (updated_at);

-- The latest report of each server. A report older than the row's (fence, seq) changes nothing.
create table server_report (
  server_id uuid primary key,
  node text not null,
  fence bigint not null,
  seq bigint not null,
  generation bigint not null,
  power text not null,
  outcome text not null,
  error text,
  held_fence bigint not null default 0,
  held_seq bigint not null default 0,
  reboot_count bigint not null default 0,
  at_ms bigint not null
) with (fillfactor = 50);
