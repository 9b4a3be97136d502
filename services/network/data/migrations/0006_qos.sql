-- Quality of service: policies of rules, and what they are attached to. A policy can not go while something uses it.

create table qos_policy (
  id          uuid primary key,
  project_id  text not null,
  name        text not null,
  description text not null,
  is_default  boolean not null,
  tags        text[] not null default '{}',
  revision    bigint not null default 1,
  created_at  timestamptz not null,
  updated_at  timestamptz not null
);
create index qos_policy_project on qos_policy (project_id, created_at, id);
create index qos_policy_name on qos_policy (name);
create unique index qos_policy_default on qos_policy (project_id) where is_default;

create table qos_rule (
  id             uuid primary key,
  policy_id      uuid not null references qos_policy on delete cascade,
  type           text not null check (type in ('bandwidth_limit', 'dscp_marking', 'minimum_bandwidth')),
  direction      text check (direction in ('ingress', 'egress')),
  max_kbps       integer check (max_kbps >= 0),
  max_burst_kbps integer check (max_burst_kbps >= 0),
  min_kbps       integer check (min_kbps >= 0),
  dscp_mark      smallint check (dscp_mark between 0 and 63),
  created_at     timestamptz not null,
  check ((type = 'dscp_marking') = (direction is null)),
  check ((type = 'dscp_marking') = (dscp_mark is not null)),
  check ((type = 'bandwidth_limit') = (max_kbps is not null and max_burst_kbps is not null)),
  check ((type = 'minimum_bandwidth') = (min_kbps is not null)),
  constraint qos_rule_once unique nulls not distinct (policy_id, type, direction)
);

alter table network add column qos_policy_id uuid constraint network_qos_policy references qos_policy;
alter table port add column qos_policy_id uuid constraint port_qos_policy references qos_policy;
create index network_qos_policy_id on network (qos_policy_id) where qos_policy_id is not null;
create index port_qos_policy_id on port (qos_policy_id) where qos_policy_id is not null;
