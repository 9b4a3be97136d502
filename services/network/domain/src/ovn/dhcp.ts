/** What OVN's own DHCP responders answer on a subnet. */
import { formatIp, parsePrefix } from '../address.js';
import { ownDhcp } from '../dhcp-option.js';
import { responderMac } from '../mac.js';
import { METADATA_ADDRESS, type Network, type Port, type Subnet } from '../model.js';
import { KIND, mapOf, type NbTables, NETWORK, OWNER } from './rows.js';

type DhcpOptions = NbTables['DHCP_Options'];

/** Half a day, as Neutron's. */
const LEASE_SECONDS = 43_200;

export interface DhcpContext {
  readonly network: Pick<Network, 'id' | 'mtu'>;
  /** The metadata port's address on this subnet, or null. */
  readonly metadataIp: string | null;
  /** Nameservers for subnets that name none. */
  readonly defaultDns: readonly string[];
}

/** The row for a subnet, or null where nothing is answered on it. */
export function dhcpRow(subnet: Subnet, context: DhcpContext): DhcpOptions | null {
  if (!subnet.dhcp) return null;
  const options = subnet.version === 4 ? optionsV4(subnet, context) : optionsV6(subnet, context);
  if (options === null) return null;
  const external = mapOf({ [KIND]: 'subnet', [NETWORK]: context.network.id });
  return { cidr: subnet.cidr, options: mapOf(options), external_ids: external };
}

/** The row for a port that is answered otherwise than others on the subnet; null where nothing is answered. */
export function portDhcpRow(port: Port, subnet: Subnet, context: DhcpContext): DhcpOptions | null {
  const row = dhcpRow(subnet, context);
  if (row === null) return null;
  const options = new Map(row.options);
  for (const [name, value] of ownDhcp(port.dhcpOptions, subnet.version).options) {
    if (value === null) options.delete(name);
    else options.set(name, value);
  }
  const external = { [KIND]: 'port_dhcp', [NETWORK]: port.networkId, [OWNER]: port.id };
  return { ...row, options, external_ids: mapOf(external) };
}

const braced = (items: readonly string[]): string => `{${items.join(', ')}}`;

/**
 * Clients that take option 121 ignore the router option, so the routes repeat the default one. The responder's own
 * address is the gateway's, as clients expect, or the metadata port's.
 */
function optionsV4(subnet: Subnet, context: DhcpContext): Record<string, string> {
  const prefix = parsePrefix(subnet.cidr)!;
  const first = formatIp(4, prefix.length >= 31 ? prefix.first : prefix.first + 1n);
  const options: Record<string, string> = {
    server_id: subnet.gateway ?? context.metadataIp ?? first,
    server_mac: responderMac(subnet.id),
    lease_time: String(LEASE_SECONDS),
    mtu: String(context.network.mtu),
  };
  const routes = subnet.routes.map((route) => `${route.destination},${route.nexthop}`);
  if (context.metadataIp !== null) routes.unshift(`${METADATA_ADDRESS}/32,${context.metadataIp}`);
  if (subnet.gateway !== null) {
    options['router'] = subnet.gateway;
    if (routes.length > 0) routes.push(`0.0.0.0/0,${subnet.gateway}`);
  }
  if (routes.length > 0) options['classless_static_route'] = braced(routes);
  const dns = subnet.dns.length > 0 ? subnet.dns : context.defaultDns;
  if (dns.length > 0) options['dns_server'] = braced(dns);
  return options;
}

/** Self-addressed subnets are announced by a router; DHCP speaks only where a mode says so. */
function optionsV6(subnet: Subnet, context: DhcpContext): Record<string, string> | null {
  if (subnet.addressMode === null || subnet.addressMode === 'slaac') return null;
  const options: Record<string, string> = { server_id: responderMac(subnet.id) };
  if (subnet.addressMode === 'dhcpv6-stateless') options['dhcpv6_stateless'] = 'true';
  const dns = subnet.dns.length > 0 ? subnet.dns : context.defaultDns.filter((server) => server.includes(':'));
  if (dns.length > 0) options['dns_server'] = braced(dns);
  return options;
}
