/** Networks on the wire. */
import { type Static, Type } from 'typebox';
import type { Credentials } from '#libs/platform/policy';
import { body, type Field, view } from '#libs/wire';
import { type Network, reaches } from '#services/network/domain';
import { attributes, Flag, just, maybe, nullable, oneOrMany, standard, text, Whole } from '../values.wire.js';

const provider = {
  'provider:network_type': nullable(text(32)),
  'provider:physical_network': nullable(text(64)),
  'provider:segmentation_id': nullable(Whole),
};

const writable = {
  name: maybe(text()),
  description: maybe(text()),
  admin_state_up: maybe(Flag),
  shared: maybe(Flag),
  mtu: maybe(Whole),
  port_security_enabled: maybe(Flag),
  'router:external': maybe(Flag),
  is_default: maybe(Flag),
  qos_policy_id: nullable(text(64)),
  dns_domain: nullable(text()),
  ...provider,
};

const NewNetworkBody = attributes({
  ...writable,
  project_id: maybe(text()),
  tenant_id: maybe(text()),
  availability_zone_hints: maybe(Type.Array(text(), { maxItems: 10 })),
  // Another way to say how the network is carried.
  segments: maybe(Type.Array(attributes(provider), { maxItems: 10 })),
});
export type NewNetworkBody = Static<typeof NewNetworkBody>;
const NetworkChangeBody = attributes(writable);
export type NetworkChangeBody = Static<typeof NetworkChangeBody>;

export const createNetworkBody = body(oneOrMany('network', 'networks', NewNetworkBody));
export const updateNetworkBody = body(just('network', NetworkChangeBody));

const carried = { rule: 'get_network:provider' };

const FIELDS: readonly Field<Network>[] = [
  { name: 'id', from: (n) => n.id },
  { name: 'name', from: (n) => n.name },
  { name: 'tenant_id', from: (n) => n.projectId },
  { name: 'project_id', from: (n) => n.projectId },
  { name: 'description', from: (n) => n.description },
  { name: 'admin_state_up', from: (n) => n.adminStateUp },
  { name: 'status', from: () => 'ACTIVE' },
  { name: 'mtu', from: (n) => n.mtu },
  { name: 'port_security_enabled', from: (n) => n.portSecurity },
  { name: 'router:external', from: (n) => n.external },
  { name: 'is_default', from: (n) => (n.external ? n.isDefault : undefined) },
  { name: 'qos_policy_id', from: (n) => n.qosPolicyId },
  { name: 'subnets', from: (n) => n.subnetIds },
  { name: 'ipv4_address_scope', from: (n) => n.ipv4ScopeId },
  { name: 'ipv6_address_scope', from: (n) => n.ipv6ScopeId },
  { name: 'availability_zone_hints', from: (n) => n.zoneHints },
  { name: 'dns_domain', from: (n) => n.dnsDomain },
  { name: 'provider:network_type', ...carried, from: (n) => n.networkType },
  { name: 'provider:physical_network', ...carried, from: (n) => n.physicalNetwork },
  { name: 'provider:segmentation_id', ...carried, from: (n) => n.segmentationId },
];
const fields = view(FIELDS);

type Context = Parameters<typeof fields>[1] & { readonly who: Credentials };
/** A network is in the zones that were asked for, or in all that are known. `shared` says whether the caller's own project, among others, may use the network. */
export const networkView = (network: Network, context: Context, zones: readonly string[]): Record<string, unknown> => ({
  ...fields(network, context),
  availability_zones: network.zoneHints.length > 0 ? network.zoneHints : zones,
  shared: reaches(network.sharedWith, context.who.projectId),
  ...standard(network),
});
