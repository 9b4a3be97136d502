-- Address groups, which rules name; and templates of the rules that new security groups begin with.

create table address_group (
  id          uuid primary key,
  project_id  text not null,
  name        text not null,
  description text not null,
  tags        text[] not null default '{}',
  revision    bigint not null default 1,
  created_at  timestamptz not null,
  updated_at  timestamptz not null
);
create index address_group_project on address_group (project_id, created_at, id);
create index address_group_name on address_group (name);

create table address_group_address (
  group_id uuid not null references address_group on delete cascade,
  address  cidr not null,
  primary key (group_id, address)
);

alter table security_group_rule
  add column remote_address_group_id uuid,
  -- Named in rules, an address group can not go.
  add constraint security_group_rule_address_group foreign key (remote_address_group_id) references address_group,
  add check (num_nonnulls(remote_prefix, remote_group_id, remote_address_group_id) <= 1);
create index security_group_rule_address_group on security_group_rule (remote_address_group_id)
  where remote_address_group_id is not null;

-- A prefix that is everything is the same as none. Where both stand in a group by now, both stay.
alter table security_group_rule rename column normalized_prefix to matched_prefix;
update security_group_rule r set matched_prefix = null
  where masklen(matched_prefix) = 0 and not exists (
    select 1 from security_group_rule o
    where o.group_id = r.group_id and o.id <> r.id and o.direction = r.direction and o.ethertype = r.ethertype
      and o.protocol_number is not distinct from r.protocol_number and o.port_min is not distinct from r.port_min
      and o.port_max is not distinct from r.port_max and o.matched_prefix is null and o.remote_group_id is null);
alter table security_group_rule drop constraint security_group_rule_once;
alter table security_group_rule add constraint security_group_rule_once unique nulls not distinct
  (group_id, direction, ethertype, protocol_number, port_min, port_max, matched_prefix, remote_group_id,
   remote_address_group_id);

create table default_security_group_rule (
  id                      uuid primary key,
  description             text not null,
  direction               text not null check (direction in ('ingress', 'egress')),
  ethertype               text not null check (ethertype in ('IPv4', 'IPv6')),
  protocol                text,
  protocol_number         smallint check (protocol_number between 0 and 255),
  port_min                integer,
  port_max                integer,
  remote_prefix           text,
  matched_prefix          cidr,
  -- the group that gets the copy
  remote_parent           boolean not null,
  remote_group_id         uuid references security_group on delete cascade,
  remote_address_group_id uuid,
  -- whether default groups of projects get it, and whether others do
  in_default              boolean not null,
  in_others               boolean not null,
  tags                    text[] not null default '{}',
  revision                bigint not null default 1,
  created_at              timestamptz not null,
  updated_at              timestamptz not null,
  constraint default_security_group_rule_address_group
    foreign key (remote_address_group_id) references address_group,
  check (num_nonnulls(remote_prefix, remote_group_id, remote_address_group_id) + remote_parent::integer <= 1)
);
create unique index default_rule_once_in_default on default_security_group_rule
  (direction, ethertype, protocol_number, port_min, port_max, matched_prefix, remote_parent, remote_group_id,
   remote_address_group_id) nulls not distinct where in_default;
create unique index default_rule_once_in_others on default_security_group_rule
  (direction, ethertype, protocol_number, port_min, port_max, matched_prefix, remote_parent, remote_group_id,
   remote_address_group_id) nulls not distinct where in_others;
create index default_rule_remote on default_security_group_rule (remote_group_id) where remote_group_id is not null;
create index default_rule_address_group on default_security_group_rule (remote_address_group_id)
  where remote_address_group_id is not null;

-- Everything out; in a project's default group also everything in from its own members.
insert into default_security_group_rule
  (id, description, direction, ethertype, remote_parent, in_default, in_others, created_at, updated_at)
  select gen_random_uuid(), '', direction, ethertype, direction = 'ingress', true, direction = 'egress', now(), now()
  from unnest(array['egress', 'ingress']) direction, unnest(array['IPv4', 'IPv6']) ethertype;
