-- An operator's change of a node is in force once placement has been told of it.

alter table node
  -- rises with each such change
  add column revision bigint not null default 0,
  -- the revision that placement knows
  add column told_revision bigint not null default 0;
