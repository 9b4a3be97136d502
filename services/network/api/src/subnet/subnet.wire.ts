/** Subnets on the wire. */
import { type Static, Type } from 'typebox';
import { body, type Field, view } from '#libs/wire';
import type { SubnetSeen } from '#services/network/data';
import { attributes, Flag, just, maybe, nullable, oneOrMany, standard, text, Whole } from '../values.wire.js';

const Pool = attributes({ start: text(64), end: text(64) });
const HostRoute = attributes({ destination: text(64), nexthop: text(64) });
const Mode = Type.Unsafe<'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless'>({
  enum: ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'],
});

const writable = {
  name: maybe(text()),
  description: maybe(text()),
  gateway_ip: nullable(text(64)),
  enable_dhcp: maybe(Flag),
  dns_nameservers: nullable(Type.Array(text(64), { maxItems: 100 })),
  host_routes: nullable(Type.Array(HostRoute, { maxItems: 100 })),
  allocation_pools: nullable(Type.Array(Pool, { maxItems: 100 })),
  service_types: maybe(Type.Array(text(), { maxItems: 50 })),
  dns_publish_fixed_ip: maybe(Flag),
  segment_id: nullable(text(64)),
};

const NewSubnetBody = attributes({
  ...writable,
  network_id: text(64),
  cidr: nullable(text(64)),
  ip_version: maybe(Whole),
  ipv6_address_mode: nullable(Mode),
  ipv6_ra_mode: nullable(Mode),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
  subnetpool_id: nullable(text(64)),
  use_default_subnetpool: maybe(Flag),
  prefixlen: nullable(Whole),
});
export type NewSubnetBody = Static<typeof NewSubnetBody>;
const SubnetChangeBody = attributes(writable);
export type SubnetChangeBody = Static<typeof SubnetChangeBody>;

export const createSubnetBody = body(oneOrMany('subnet', 'subnets', NewSubnetBody));
export const updateSubnetBody = body(just('subnet', SubnetChangeBody));

const FIELDS: readonly Field<SubnetSeen>[] = [
  { name: 'id', from: (s) => s.id },
  { name: 'name', from: (s) => s.name },
  { name: 'tenant_id', from: (s) => s.projectId },
  { name: 'project_id', from: (s) => s.projectId },
  { name: 'description', from: (s) => s.description },
  { name: 'network_id', from: (s) => s.networkId },
  { name: 'ip_version', from: (s) => s.version },
  { name: 'cidr', from: (s) => s.cidr },
  { name: 'gateway_ip', from: (s) => s.gateway },
  { name: 'enable_dhcp', from: (s) => s.dhcp },
  { name: 'allocation_pools', from: (s) => s.pools },
  { name: 'dns_nameservers', from: (s) => s.dns },
  { name: 'host_routes', from: (s) => s.routes },
  { name: 'ipv6_address_mode', from: (s) => s.addressMode },
  { name: 'ipv6_ra_mode', from: (s) => s.raMode },
  { name: 'service_types', from: (s) => s.serviceTypes },
  { name: 'dns_publish_fixed_ip', from: (s) => s.dnsPublishFixedIp },
  { name: 'router:external', from: (s) => s.external },
  { name: 'subnetpool_id', from: (s) => s.poolId },
  { name: 'segment_id', rule: 'get_subnet:segment_id', from: (s) => s.segmentId },
];
const fields = view(FIELDS);

type Context = Parameters<typeof fields>[1];
export const subnetView = (subnet: SubnetSeen, context: Context): Record<string, unknown> => ({
  ...fields(subnet, context),
  ...standard(subnet),
});
