/** Ports on the wire. */
import { type Static, Type } from 'typebox';
import { body, type Field, view } from '#libs/wire';
import type { PortOnNetwork } from '#services/network/data';
import { trunkDetails } from '../trunk/trunk.wire.js';
import { attributes, Flag, just, maybe, nullable, oneOrMany, standard, text } from '../values.wire.js';

const FixedIp = attributes({ subnet_id: maybe(text(64)), ip_address: maybe(text(64)) });
const Pair = attributes({ ip_address: text(64), mac_address: nullable(text(64)) });

const writable = {
  name: maybe(text()),
  description: maybe(text()),
  admin_state_up: maybe(Flag),
  device_id: nullable(text()),
  device_owner: nullable(text()),
  mac_address: nullable(text(64)),
  fixed_ips: nullable(Type.Array(FixedIp, { maxItems: 64 })),
  security_groups: nullable(Type.Array(text(64), { maxItems: 100 })),
  port_security_enabled: maybe(Flag),
  allowed_address_pairs: nullable(Type.Array(Pair, { maxItems: 100 })),
  qos_policy_id: nullable(text(64)),
  'binding:host_id': nullable(text()),
  'binding:vnic_type': maybe(text(64)),
  'binding:profile': nullable(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 64 })),
};

const NewPortBody = attributes({
  ...writable,
  network_id: text(64),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewPortBody = Static<typeof NewPortBody>;
const PortChangeBody = attributes(writable);
export type PortChangeBody = Static<typeof PortChangeBody>;

export const createPortBody = body(oneOrMany('port', 'ports', NewPortBody));
export const updatePortBody = body(just('port', PortChangeBody));

const binding = { rule: 'get_port:binding' };
const VIF_DETAILS = { port_filter: true, connectivity: 'l2', bridge_name: 'br-int' };

const FIELDS: readonly Field<PortOnNetwork>[] = [
  { name: 'id', from: (p) => p.id },
  { name: 'name', from: (p) => p.name },
  { name: 'network_id', from: (p) => p.networkId },
  { name: 'tenant_id', from: (p) => p.projectId },
  { name: 'project_id', from: (p) => p.projectId },
  { name: 'description', from: (p) => p.description },
  { name: 'mac_address', from: (p) => p.mac },
  { name: 'admin_state_up', from: (p) => p.adminStateUp },
  { name: 'status', from: (p) => p.status },
  { name: 'device_id', from: (p) => p.deviceId },
  { name: 'device_owner', from: (p) => p.deviceOwner },
  { name: 'fixed_ips', from: (p) => p.fixedIps.map((ip) => ({ subnet_id: ip.subnetId, ip_address: ip.address })) },
  { name: 'security_groups', from: (p) => p.groupIds },
  { name: 'port_security_enabled', from: (p) => p.portSecurity },
  {
    name: 'allowed_address_pairs',
    from: (p) => p.addressPairs.map((pair) => ({ mac_address: pair.mac, ip_address: pair.ip })),
  },
  { name: 'qos_policy_id', from: (p) => p.qosPolicyId },
  { name: 'qos_network_policy_id', from: (p) => p.networkQosPolicyId },
  { name: 'trunk_details', from: trunkDetails },
  { name: 'binding:vnic_type', from: (p) => p.vnicType },
  { name: 'binding:host_id', ...binding, from: (p) => p.host },
  { name: 'binding:profile', ...binding, from: (p) => p.profile },
  { name: 'binding:vif_type', ...binding, from: (p) => (p.host === '' ? 'unbound' : 'ovs') },
  { name: 'binding:vif_details', ...binding, from: (p) => (p.host === '' ? {} : VIF_DETAILS) },
];
const fields = view(FIELDS);

type Context = Parameters<typeof fields>[1];
export const portView = (port: PortOnNetwork, context: Context): Record<string, unknown> => ({
  ...fields(port, context),
  ...standard(port),
});
