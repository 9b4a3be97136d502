-- What opens a console of a server: once, for a short time, and only while the server is where it was. The token itself
-- is not kept, only its SHA-256.
create table console_token (
  hash bytea primary key,
  server_id uuid not null references server on delete cascade,
  node text not null,
  type text not null constraint console_token_type_known check (type in ('novnc', 'serial')),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index console_token_server on console_token (server_id);
create index console_token_expires on console_token (expires_at);
