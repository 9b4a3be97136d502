-- What an operator wants counted of the routed traffic. OVN counts none of it: these rows are for those who read them.

create table metering_label (
  id          uuid primary key,
  project_id  text not null,
  name        text not null,
  description text not null,
  shared      boolean not null,
  created_at  timestamptz not null
);
create index metering_label_project on metering_label (project_id, created_at, id);

create table metering_label_rule (
  id                 uuid primary key,
  label_id           uuid not null constraint metering_label_rule_label references metering_label on delete cascade,
  direction          text not null check (direction in ('ingress', 'egress')),
  excluded           boolean not null,
  remote_prefix      cidr,
  source_prefix      cidr,
  destination_prefix cidr,
  created_at         timestamptz not null,
  check ((remote_prefix is not null) <> (num_nonnulls(source_prefix, destination_prefix) > 0)),
  constraint metering_label_rule_overlap exclude using gist
    (label_id with =, direction with =, (excluded::integer) with =, remote_prefix inet_ops with &&)
    where (remote_prefix is not null)
);
create index metering_label_rule_of_label on metering_label_rule (label_id);
