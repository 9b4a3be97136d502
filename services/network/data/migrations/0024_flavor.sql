-- Flavors of routers, and the profiles that say by which driver a router of a flavor is made.

create table flavor (
  id           uuid primary key,
  name         text not null,
  description  text not null,
  service_type text not null,
  enabled      boolean not null,
  created_at   timestamptz not null
);

create table service_profile (
  id          uuid primary key,
  description text not null,
  driver      text not null,
  metainfo    text not null,
  enabled     boolean not null,
  created_at  timestamptz not null,
  check (driver <> '' or metainfo <> '')
);

create table flavor_service_profile (
  flavor_id  uuid not null constraint flavor_service_profile_flavor references flavor on delete cascade,
  profile_id uuid not null constraint flavor_service_profile_profile references service_profile,
  ordinal    bigint generated always as identity,
  constraint flavor_service_profile_once primary key (flavor_id, profile_id)
);
create index flavor_service_profile_profile_id on flavor_service_profile (profile_id);

alter table router add column flavor_id uuid constraint router_flavor references flavor;
create index router_flavor_id on router (flavor_id) where flavor_id is not null;
