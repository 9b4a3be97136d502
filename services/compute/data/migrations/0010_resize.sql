-- A change of flavor that waits for its owner's decision, and what the node is to do about the disks as they were.
alter table server
  -- {from, to, vmState, at}: both flavors, what the server was before, since when it waits
  add column resize jsonb,
  add column undo text not null default '' constraint server_undo_known check (undo in ('', 'keep', 'restore')),
  add column undo_epoch bigint not null default 0,
  -- what the server counts for in the quota of its project: the larger of both flavors while it is being resized
  add column cores bigint not null generated always as
    (greatest((flavor->>'vcpus')::bigint, (resize->'from'->>'vcpus')::bigint, (resize->'to'->>'vcpus')::bigint)) stored,
  add column ram bigint not null generated always as
    (greatest((flavor->>'memoryMb')::bigint, (resize->'from'->>'memoryMb')::bigint, (resize->'to'->>'memoryMb')::bigint)) stored;
alter table deleted_server
  add column resize jsonb,
  add column undo text not null default '',
  add column undo_epoch bigint not null default 0,
  add column cores bigint,
  add column ram bigint;
create index server_resized on server (id) where vm_state = 'resized';
