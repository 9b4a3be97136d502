-- What claims look at beside inventories: what a node is, how it fares, and which servers belong together.

alter table provider
  -- {labels, attributes, numa}, as compute told of a node
  add column profile jsonb not null default '{"labels": {}, "attributes": {}, "numa": []}',
  -- those of `aggregates` that compute gave; all others are the operator's own
  add column node_aggregates uuid[] not null default '{}';

-- The group of servers of a consumer. Who is where is read from the allocations alone, so that no count can drift.
alter table consumer add column group_id uuid;
create index consumer_group on consumer (group_id) where group_id is not null;

-- One row per group, which every claim of the group locks before it looks where the others are: claims of one group take
-- turns, claims of different groups do not wait for each other.
create table claim_group (
  id uuid primary key,
  at timestamptz not null default now()
) with (fillfactor = 50);

-- How nodes fare, as compute told last. Lost, it costs a worse choice for some seconds.
create table pulse (
  provider_id uuid primary key references provider on delete cascade,
  load real not null,
  failures int not null,
  failed_at timestamptz
) with (fillfactor = 50);

-- Whether the consumer may be in that tree beside the others of its group, of which `most` (null: any number) may share a
-- tree, and which must all be in one where they belong `together`. Right only under the lock of the group's row.
create function placement_group_allows (grp uuid, consumer uuid, root uuid, most int, together boolean) returns boolean language sql stable as $$
  select count(distinct c.id) filter (where q.root_id = root) < coalesce(most, 2147483647)
     and (not together or count(*) filter (where q.root_id <> root) = 0)
    from consumer c join allocation a on a.consumer_id = c.id join provider q on q.id = a.provider_id
   where c.group_id = grp and c.id <> consumer
$$;
