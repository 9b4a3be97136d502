/** Ports on the wire. */
import { type Static, Type } from 'typebox';
import { body, type Field, view } from '#libs/wire';
import type { PortOnNetwork } from '#services/network/data';
import { DEFAULT_DOMAIN, dnsAssignment, FLOATING_OWNER } from '#services/network/domain';
import { trunkDetails } from '../trunk/trunk.wire.js';
import { attributes, Flag, just, maybe, nullable, oneOrMany, standard, text, Whole } from '../values.wire.js';

const FixedIp = attributes({ subnet_id: maybe(text(64)), ip_address: maybe(text(64)) });
const Pair = attributes({ ip_address: text(64), mac_address: nullable(text(64)) });

/** Without a value an update takes the option away. */
const DhcpOpt = Type.Object(
  {
    opt_name: Type.String({ maxLength: 1024 }),
    opt_value: Type.Union([Type.String({ maxLength: 1024 }), Type.Null()]),
    ip_version: maybe(Whole),
  },
  { additionalProperties: false, required: ['opt_name', 'opt_value'] },
);

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
  extra_dhcp_opts: nullable(Type.Array(DhcpOpt, { maxItems: 100 })),
  dns_name: nullable(text()),
  dns_domain: nullable(text()),
  propagate_uplink_status: maybe(Flag),
  // Nothing here follows such hints, so none can be given.
  hints: maybe(Type.Null()),
  numa_affinity_policy: maybe(Type.Null()),
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
const PortChangeBody = attributes({
  ...writable,
  data_plane_status: nullable(Type.Unsafe<'ACTIVE' | 'DOWN'>({ enum: ['ACTIVE', 'DOWN'] })),
});
export type PortChangeBody = Static<typeof PortChangeBody>;

export const createPortBody = body(oneOrMany('port', 'ports', NewPortBody));
export const updatePortBody = body(just('port', PortChangeBody));

const binding = { rule: 'get_port:binding' };
const VIF_DETAILS = { port_filter: true, connectivity: 'l2', bridge_name: 'br-int' };

/** A server's port is called like the server, unless it has a name of its own. */
const nameOf = (port: PortOnNetwork): string => port.dnsName || port.hostname;

const assignmentOf = (port: PortOnNetwork) =>
  dnsAssignment(
    nameOf(port),
    port.fixedIps.map((ip) => ip.address),
    port.dnsDomain || port.networkDnsDomain || DEFAULT_DOMAIN,
  ).map(({ ip, hostname, fqdn }) => ({ ip_address: ip, hostname, fqdn }));

const FIELDS: readonly Field<PortOnNetwork>[] = [
  { name: 'id', from: (p) => p.id },
  { name: 'name', from: (p) => p.name },
  { name: 'network_id', from: (p) => p.networkId },
  { name: 'tenant_id', from: (p) => p.projectId },
  { name: 'project_id', from: (p) => p.projectId },
  { name: 'description', from: (p) => p.description },
  { name: 'mac_address', from: (p) => p.mac },
  { name: 'admin_state_up', from: (p) => p.adminStateUp },
  { name: 'status', from: (p) => (p.deviceOwner === FLOATING_OWNER ? 'N/A' : p.status) },
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
  {
    name: 'extra_dhcp_opts',
    from: (p) => p.dhcpOptions.map((o) => ({ opt_name: o.name, opt_value: o.value, ip_version: o.version })),
  },
  { name: 'dns_name', from: (p) => nameOf(p) },
  { name: 'dns_domain', from: (p) => p.dnsDomain },
  { name: 'dns_assignment', from: (p) => assignmentOf(p) },
  { name: 'propagate_uplink_status', from: (p) => p.uplinkStatus },
  { name: 'data_plane_status', from: (p) => p.dataPlaneStatus },
  { name: 'ip_allocation', from: (p) => (p.fixedIps.length > 0 ? 'immediate' : 'none') },
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
