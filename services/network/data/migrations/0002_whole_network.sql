-- Tags on everything that clients tag; who else may see or use a resource (RBAC); networks outside of tunnels.

alter table network add column tags text[] not null default '{}';
alter table subnet add column tags text[] not null default '{}';
alter table port add column tags text[] not null default '{}';
alter table security_group add column tags text[] not null default '{}';
alter table security_group_rule add column tags text[] not null default '{}';
create index network_tags on network using gin (tags);
create index port_tags on port using gin (tags);

-- A project, or '*' for all of them, that something of another project is shared with. What it may do is the action.
create table rbac_policy (
  id          uuid primary key,
  project_id  text not null,
  object_type text not null,
  object_id   uuid not null,
  action      text not null check (action in ('access_as_shared', 'access_as_external')),
  target      text not null,
  constraint rbac_policy_once unique (object_id, action, target)
);
create index rbac_policy_target on rbac_policy (target, action, object_id);
create index rbac_policy_project on rbac_policy (project_id, id);

insert into rbac_policy (id, project_id, object_type, object_id, action, target)
  select gen_random_uuid(), project_id, 'network', id, 'access_as_shared', '*' from network where shared;
-- The creator of a shared network is charged for its policy.
insert into quota_usage (project_id, resource, used)
  select project_id, 'rbac_policy', count(*) from rbac_policy group by project_id;
alter table network drop column shared;

-- Keys of tunnels: networks have the lower half, routers the upper one. Networks that are no tunnels need one too,
-- inside of OVN.
alter sequence segmentation_id rename to network_tunnel_key;
alter sequence network_tunnel_key maxvalue 8388607;
alter table network
  add column network_type text not null default 'geneve' check (network_type in ('geneve', 'flat', 'vlan')),
  add column physical_network text,
  add column tunnel_key integer,
  add column external boolean not null default false,
  add column is_default boolean not null default false,
  drop constraint network_segmentation_id_key,
  alter column segmentation_id drop not null;
update network set tunnel_key = segmentation_id;
alter table network
  alter column network_type drop default,
  alter column tunnel_key set not null,
  add constraint network_tunnel_key_once unique (tunnel_key),
  add constraint network_segment unique nulls not distinct (network_type, physical_network, segmentation_id),
  add check ((network_type = 'geneve') = (physical_network is null)),
  add check ((network_type = 'flat') = (segmentation_id is null));
create index network_external on network (id) where external;
create unique index network_default on network (is_default) where is_default;

-- The kinds of resources that go to OVN are the program's to know.
alter table ovn_dirty drop constraint ovn_dirty_kind_check;
