-- Ports of a floating IP that are forwarded to ports of different hosts. Neither an outer port nor an inner one is in two
-- forwardings of one protocol.

create table port_forwarding (
  id               uuid primary key,
  floatingip_id    uuid not null constraint port_forwarding_floatingip references floatingip,
  port_id          uuid not null constraint port_forwarding_port references port,
  internal_address inet not null,
  protocol         text not null check (protocol in ('tcp', 'udp')),
  external_ports   int4range not null,
  internal_ports   int4range not null,
  description      text not null,
  revision         bigint not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  constraint port_forwarding_external exclude using gist (floatingip_id with =, protocol with =, external_ports with &&),
  constraint port_forwarding_internal exclude using gist
    (port_id with =, internal_address inet_ops with =, protocol with =, internal_ports with &&)
);
create index port_forwarding_port_id on port_forwarding (port_id);
