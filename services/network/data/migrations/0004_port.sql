-- What clients say of networks, subnets and ports beyond addresses and filtering.

alter table network
  -- empty, or fully qualified with its last dot
  add column dns_domain text not null default '',
  add column zone_hints text[] not null default '{}';

alter table subnet
  -- owners of devices whose ports get their addresses here before elsewhere; none: whoever has no subnet of its own
  add column service_types text[] not null default '{}',
  add column dns_publish_fixed_ip boolean not null default false;

alter table port
  add column dns_name text not null default '',
  add column dns_domain text not null default '',
  -- [{"name": NAME, "value": TEXT, "version": 4 or 6}], one of each name and version
  add column dhcp_options jsonb not null default '[]',
  add column uplink_status boolean not null default true,
  add column data_plane_status text check (data_plane_status in ('ACTIVE', 'DOWN'));
create index port_network_devices on port (network_id, device_owner);
