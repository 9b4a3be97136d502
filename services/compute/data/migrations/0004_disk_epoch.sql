-- Which contents of the root disk a server is to have, and which a node has made. The node makes the disk anew from the
-- image where the first is above the second.
alter table server
  add column disk_epoch bigint not null default 1,
  add column disk_made bigint not null default 0;
alter table deleted_server
  add column disk_epoch bigint not null default 1,
  add column disk_made bigint not null default 0;
update server set disk_made = 1 where launched_at is not null;
