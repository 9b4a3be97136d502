/**
 * A port as a logical switch port. Anti-spoofing is `port_security`: a guest may send only from its own Ethernet and IP
 * addresses and the pairs it was allowed, and only packets for those reach it.
 */
import { parsePrefix } from '../address.js';
import { GATEWAY_OWNER, isRouterPort } from '../device-owner.js';
import { ownDhcp } from '../dhcp-option.js';
import { eui64 } from '../mac.js';
import { METADATA_OWNER, type Network, type Port, type Subnet } from '../model.js';
import { routerPortName } from './router-port.js';
import { RELATION, rowId } from './row-id.js';
import { GROUPS, KIND, mapOf, type NbTables, NETWORK } from './rows.js';

export interface PortContext {
  readonly network: Pick<Network, 'adminStateUp'>;
  readonly subnets: readonly Subnet[];
}

const LINK_LOCAL = parsePrefix('fe80::/64')!;
const NOBODY = '0.0.0.0';
/** The row of answers of a port's own, by version. */
export const ownDhcpId = (portId: string, version: 4 | 6): string =>
  rowId(version === 4 ? RELATION.portDhcpV4 : RELATION.portDhcpV6, portId);

/** True for a port that DHCP answers otherwise than its subnet says. */
export const hasOwnDhcp = (port: Port, version: 4 | 6): boolean => ownDhcp(port.dhcpOptions, version).options.size > 0;

/** True for a port whose traffic is filtered. */
export const isGuarded = (port: Port): boolean =>
  port.portSecurity && port.deviceOwner !== METADATA_OWNER && !isRouterPort(port);

/** The groups whose rules apply to a port. */
export const effectiveGroups = (port: Port): readonly string[] => (isGuarded(port) ? port.groupIds : []);

export function portRow(port: Port, context: PortContext): NbTables['Logical_Switch_Port'] {
  return isRouterPort(port) ? routerSideRow(port, context) : guestRow(port, context);
}

/** Where a router's leg meets the switch: it has the addresses that its other end has. */
function routerSideRow(port: Port, context: PortContext): NbTables['Logical_Switch_Port'] {
  const outside = { 'nat-addresses': 'router', 'exclude-lb-vips-from-garp': 'true' };
  return {
    name: port.id,
    type: 'router',
    addresses: new Set(['router']),
    port_security: new Set(),
    enabled: port.adminStateUp && context.network.adminStateUp,
    options: mapOf({
      'router-port': routerPortName(port.id),
      ...(port.deviceOwner === GATEWAY_OWNER ? outside : {}),
    }),
    parent_name: null,
    tag_request: null,
    dhcpv4_options: null,
    dhcpv6_options: null,
    external_ids: mapOf({ [KIND]: 'port', [NETWORK]: port.networkId, [GROUPS]: '' }),
  };
}

function guestRow(port: Port, context: PortContext): NbTables['Logical_Switch_Port'] {
  const own = [port.mac, ...port.fixedIps.map((ip) => ip.address)].join(' ');
  const guarded = isGuarded(port);
  const isMetadata = port.deviceOwner === METADATA_OWNER;
  return {
    name: port.id,
    type: isMetadata ? 'localport' : '',
    addresses: new Set([own, ...pairMacs(port), ...(guarded || isMetadata ? [] : ['unknown'])]),
    port_security: new Set(guarded ? [...allowed(port)] : []),
    enabled: port.adminStateUp && context.network.adminStateUp,
    options: optionsOf(port),
    // A subport's packets come and go through its parent, with its VLAN's tag.
    parent_name: port.trunk && port.trunk.vlan !== null ? port.trunk.parentId : null,
    tag_request: port.trunk?.vlan ?? null,
    dhcpv4_options: dhcpOf(port, context, 4),
    dhcpv6_options: dhcpOf(port, context, 6),
    external_ids: mapOf({
      [KIND]: isMetadata ? 'metadata_port' : 'port',
      [NETWORK]: port.networkId,
      [GROUPS]: [...effectiveGroups(port)].sort().join(' '),
    }),
  };
}

/** Ethernet addresses of pairs that are not the port's own: packets to them must be delivered here too. */
function pairMacs(port: Port): string[] {
  return [...new Set(port.addressPairs.map((pair) => pair.mac).filter((mac) => mac !== port.mac))].sort();
}

/**
 * One entry per Ethernet address with all that may be sent from it. An entry that names no address of a version would
 * restrict nothing there: without IPv4 OVN lets every ARP answer pass, without IPv6 every neighbour advertisement. So each
 * names something of both: the address of nobody, and the link-local one, which OVN adds beside any other of IPv6 anyway.
 */
function allowed(port: Port): string[] {
  const byMac = new Map<string, string[]>([[port.mac, port.fixedIps.map((ip) => ip.address)]]);
  for (const pair of port.addressPairs) byMac.set(pair.mac, [...(byMac.get(pair.mac) ?? []), pair.ip]);
  return [...byMac].map(([mac, ips]) => {
    const instead4 = ips.some((ip) => !ip.includes(':')) ? [] : [NOBODY];
    const instead6 = ips.some((ip) => ip.includes(':')) ? [] : [eui64(LINK_LOCAL, mac)];
    return [mac, ...ips, ...instead4, ...instead6].join(' ');
  });
}

/** OVN takes the value as a piece of its own language: it needs quotes, and nothing but a plain host name may get there. */
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/;

function optionsOf(port: Port): NbTables['Logical_Switch_Port']['options'] {
  const options: Record<string, string> = {};
  if (port.host !== '' && port.deviceOwner !== METADATA_OWNER) options['requested-chassis'] = port.host;
  if (HOST_NAME.test(port.hostname)) options['hostname'] = JSON.stringify(port.hostname);
  return mapOf(options);
}

/** The subnet that says what DHCP answers a port; undefined where nothing does. */
export function servingSubnet(
  port: Port,
  { subnets }: Pick<PortContext, 'subnets'>,
  version: 4 | 6,
): Subnet | undefined {
  if (port.deviceOwner === METADATA_OWNER || ownDhcp(port.dhcpOptions, version).disabled) return undefined;
  for (const ip of port.fixedIps) {
    const subnet = subnets.find((known) => known.id === ip.subnetId);
    const answered = version === 4 || (subnet?.addressMode ?? 'slaac') !== 'slaac';
    if (subnet?.version === version && subnet.dhcp && answered) return subnet;
  }
  return undefined;
}

function dhcpOf(port: Port, context: PortContext, version: 4 | 6): string | null {
  const subnet = servingSubnet(port, context, version);
  return subnet && hasOwnDhcp(port, version) ? ownDhcpId(port.id, version) : (subnet?.id ?? null);
}
