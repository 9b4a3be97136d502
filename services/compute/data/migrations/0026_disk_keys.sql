-- The passphrase of an encrypted disk, sealed and bound to the disk's id. It goes with the row.
alter table block_device add column key bytea;
