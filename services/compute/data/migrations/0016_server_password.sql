-- The password that a guest posted for its owner, encrypted by the guest with the owner's key; sealed once more here.
create table server_password (
  server_id uuid primary key references server (id) on delete cascade,
  password bytea not null
);
