-- Whether new security groups keep connections where nobody says: for one project, or (without one) for all others.
create table default_statefulness (
  id         uuid primary key,
  project_id text,
  stateful   boolean not null,
  created_at timestamptz not null,
  constraint default_statefulness_once unique nulls not distinct (project_id)
);
