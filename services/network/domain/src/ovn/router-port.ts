/** A router's leg as a logical router port, with what it announces to IPv6 hosts. */
import { parsePrefix } from '../address.js';
import { GATEWAY_OWNER } from '../device-owner.js';
import type { Network, Port, Subnet } from '../model.js';
import { RELATION, rowId } from './row-id.js';
import { KIND, mapOf, type NbTables, NETWORK, ROUTER } from './rows.js';

export const routerPortName = (portId: string): string => `lrp-${portId}`;
export const routerPortRowId = (portId: string): string => rowId(RELATION.routerPort, portId);

export interface RouterPortContext {
  readonly routerId: string;
  readonly network: Pick<Network, 'mtu' | 'networkType' | 'adminStateUp'>;
  /** At least those of the port's addresses. */
  readonly subnets: readonly Subnet[];
  /** True where all of the router's traffic to this network shall go through its gateway. */
  readonly central: boolean;
}

/** What is outside on a VLAN sees a router at one place only: that of its gateway, where it has one. */
export const meetsAtGateway = ({ networkType }: Pick<Network, 'networkType'>): boolean => networkType === 'vlan';

export function routerPortRow(port: Port, context: RouterPortContext): NbTables['Logical_Router_Port'] {
  const own = port.fixedIps.flatMap(({ subnetId, address }) => {
    const subnet = context.subnets.find((known) => known.id === subnetId);
    return subnet ? [{ subnet, address }] : [];
  });
  const isGateway = port.deviceOwner === GATEWAY_OWNER;
  return {
    name: routerPortName(port.id),
    mac: port.mac,
    networks: new Set(own.map(({ subnet, address }) => `${address}/${parsePrefix(subnet.cidr)!.length}`)),
    enabled: port.adminStateUp,
    ipv6_ra_configs: mapOf(
      isGateway
        ? {}
        : announcements(
            own.map(({ subnet }) => subnet),
            context.network,
          ),
    ),
    options: mapOf(isGateway || !context.central ? {} : { 'reside-on-redirect-chassis': 'true' }),
    external_ids: mapOf({ [KIND]: 'router_port', [ROUTER]: context.routerId, [NETWORK]: port.networkId }),
  };
}

const RA_MODES = {
  slaac: 'slaac',
  'dhcpv6-stateful': 'dhcpv6_stateful',
  'dhcpv6-stateless': 'dhcpv6_stateless',
} as const;

/** Nothing where no subnet lets its hosts hear of a router. OVN announces one nameserver. */
function announcements(subnets: readonly Subnet[], network: Pick<Network, 'mtu'>): Record<string, string> {
  const announced = subnets.filter((subnet) => subnet.version === 6 && subnet.raMode !== null);
  const mode = announced[0]?.raMode;
  if (mode == null) return {};
  const server = announced.flatMap((subnet) => subnet.dns)[0];
  return {
    address_mode: RA_MODES[mode],
    send_periodic: 'true',
    mtu: String(network.mtu),
    ...(server === undefined ? {} : { rdnss: server }),
  };
}
