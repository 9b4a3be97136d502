-- Images, the projects they are shared with, what each project uses, and what happened.

create table image (
  id uuid primary key,
  name text,
  status text not null constraint image_status check (status in ('queued', 'saving', 'active', 'deactivated', 'deleted')),
  visibility text not null constraint image_visibility check (visibility in ('public', 'community', 'shared', 'private')),
  owner text not null,
  disk_format text,
  container_format text,
  size bigint,
  virtual_size bigint,
  min_disk integer not null default 0,
  min_ram integer not null default 0,
  protected boolean not null default false,
  hidden boolean not null default false,
  checksum text,
  hash_algo text,
  hash_value text,
  sha256 text,
  properties jsonb not null default '{}',
  tags text[] not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  revision integer not null default 1,
  -- The upload whose bytes the image has or is receiving; part of the file's name.
  upload_id uuid,
  -- When the running upload last showed life.
  upload_at timestamptz,
  -- Bytes counted against the owner's quota: what the image stores, or what its running upload has set aside.
  held_bytes bigint not null default 0 constraint image_held_not_negative check (held_bytes >= 0),
  -- Whether a file may lie on disk for it: cleared when a deleted image's file is known to be gone.
  has_file boolean not null default false,
  constraint image_bytes check (
    status not in ('active', 'deactivated')
    or (size is not null and sha256 is not null and upload_id is not null and held_bytes = size)),
  constraint image_held_only_with_bytes check (status not in ('queued', 'deleted') or held_bytes = 0)
);
create index image_listed on image (created_at desc, id desc) where status <> 'deleted';
create index image_by_name on image (name) where status <> 'deleted';
create index image_by_owner on image (owner, created_at desc, id desc) where status <> 'deleted';
create index image_uploading on image (upload_at) where status = 'saving';
create index image_to_sweep on image (deleted_at) where status = 'deleted';

create table image_member (
  image_id uuid not null references image on delete cascade,
  member_id text not null,
  status text not null constraint image_member_status check (status in ('pending', 'accepted', 'rejected')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint image_member_once primary key (image_id, member_id)
);
create index image_member_by_project on image_member (member_id);

-- Kept in step with `image` in the same transactions, so that a quota is one conditional update.
create table project_usage (
  project_id text primary key,
  images bigint not null default 0 constraint project_usage_images check (images >= 0),
  bytes bigint not null default 0 constraint project_usage_bytes check (bytes >= 0)
);

create table image_event (
  seq bigint generated always as identity primary key,
  image_id uuid not null,
  at timestamptz not null,
  what text not null,
  outcome text not null,
  detail text not null default '',
  request_id text not null default ''
);
create index image_event_by_image on image_event (image_id, seq);
create index image_event_by_request on image_event (request_id, seq);
create index image_event_by_age on image_event (at);
