/** Floating IPs on the wire. */
import type { Static } from 'typebox';
import { body, type Field, view } from '#libs/wire';
import type { PortOnNetwork } from '#services/network/data';
import type { FloatingIp, PortForwarding, Subnet } from '#services/network/domain';
import { forwardingView } from '../port-forwarding/port-forwarding.wire.js';
import { attributes, just, maybe, nullable, standard, text } from '../values.wire.js';

const NewFloatingIpBody = attributes({
  floating_network_id: text(64),
  subnet_id: nullable(text(64)),
  floating_ip_address: nullable(text(64)),
  port_id: nullable(text(64)),
  fixed_ip_address: nullable(text(64)),
  description: maybe(text()),
  dns_name: maybe(text()),
  dns_domain: maybe(text()),
  qos_policy_id: nullable(text(64)),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewFloatingIpBody = Static<typeof NewFloatingIpBody>;
const FloatingIpChangeBody = attributes({
  port_id: nullable(text(64)),
  fixed_ip_address: nullable(text(64)),
  description: maybe(text()),
  qos_policy_id: nullable(text(64)),
});
export type FloatingIpChangeBody = Static<typeof FloatingIpChangeBody>;

export const createFloatingIpBody = body(just('floatingip', NewFloatingIpBody));
export const updateFloatingIpBody = body(just('floatingip', FloatingIpChangeBody));

/** A floating IP with the port that it stands for, or what it forwards. */
export interface ShownFloatingIp {
  readonly ip: FloatingIp;
  readonly port: PortOnNetwork | undefined;
  readonly forwardings: readonly PortForwarding[];
}

const portDetails = ({ port }: ShownFloatingIp) =>
  port
    ? {
        name: port.name,
        network_id: port.networkId,
        mac_address: port.mac,
        admin_state_up: port.adminStateUp,
        status: port.status,
        device_id: port.deviceId,
        device_owner: port.deviceOwner,
      }
    : null;

const FIELDS: readonly Field<ShownFloatingIp>[] = [
  { name: 'id', from: ({ ip }) => ip.id },
  { name: 'tenant_id', from: ({ ip }) => ip.projectId },
  { name: 'project_id', from: ({ ip }) => ip.projectId },
  { name: 'description', from: ({ ip }) => ip.description },
  { name: 'floating_network_id', from: ({ ip }) => ip.networkId },
  { name: 'floating_ip_address', from: ({ ip }) => ip.address },
  { name: 'router_id', from: ({ ip }) => ip.routerId },
  { name: 'port_id', from: ({ ip }) => ip.portId },
  { name: 'fixed_ip_address', from: ({ ip }) => ip.fixedAddress },
  { name: 'status', from: ({ ip }) => ip.status },
  { name: 'port_details', from: portDetails },
  { name: 'port_forwardings', from: ({ forwardings }) => forwardings.map(forwardingView) },
  { name: 'qos_policy_id', from: ({ ip }) => ip.qosPolicyId },
  { name: 'qos_network_policy_id', from: ({ ip }) => ip.networkQosPolicyId },
  { name: 'dns_name', from: ({ ip }) => ip.dnsName },
  { name: 'dns_domain', from: ({ ip }) => ip.dnsDomain },
];
const fields = view(FIELDS);

type Context = Parameters<typeof fields>[1];
export const floatingIpView = (shown: ShownFloatingIp, context: Context): Record<string, unknown> => ({
  ...fields(shown, context),
  ...standard(shown.ip),
});

/** A subnet that floating IPs are given out of. */
export const poolView = (subnet: Subnet): Record<string, unknown> => ({
  subnet_id: subnet.id,
  subnet_name: subnet.name,
  tenant_id: subnet.projectId,
  project_id: subnet.projectId,
  network_id: subnet.networkId,
  cidr: subnet.cidr,
});
