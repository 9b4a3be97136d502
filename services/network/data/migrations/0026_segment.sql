-- The segment of each network: how it is carried, under a name that operators give it. What carries it stands with the
-- network, which has one segment and no more.

create table segment (
  id          uuid primary key,
  network_id  uuid not null unique constraint segment_network references network on delete cascade,
  name        text,
  description text,
  tags        text[] not null default '{}',
  revision    bigint not null default 1,
  created_at  timestamptz not null,
  updated_at  timestamptz not null
);
insert into segment (id, network_id, created_at, updated_at)
  select gen_random_uuid(), id, created_at, created_at from network;

alter table subnet add column segment_id uuid constraint subnet_segment references segment;
create index subnet_segment_id on subnet (segment_id) where segment_id is not null;
