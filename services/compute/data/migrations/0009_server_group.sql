-- Groups of servers. A server belongs to one at most, from its first moment to its last.

create table server_group (
  id uuid primary key,
  -- the order in which they were made
  number bigint not null generated always as identity unique,
  project_id text not null,
  user_id text not null,
  name text not null,
  policy text not null
    constraint server_group_policy_known check (policy in ('affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity')),
  -- null: nothing was said
  max_per_host int constraint server_group_max_positive check (max_per_host > 0),
  created_at timestamptz not null
);
create index server_group_project on server_group (project_id, number);

alter table server add column group_id uuid constraint server_group_exists references server_group on delete set null;
create index server_group_member on server (group_id) where group_id is not null;
-- Whoever is deleted has left its group; the column is there so that both tables read alike.
alter table deleted_server add column group_id uuid;
