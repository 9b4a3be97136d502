/** What makes a subnet valid, and what follows from what a client left out. */

import { fail } from '#libs/kernel';
import {
  formatIp,
  formatPrefix,
  type IpAddress,
  type IpVersion,
  isLoopback,
  isMulticast,
  lastOf,
  type Prefix,
  parseIp,
  parsePrefix,
} from './address.js';
import { badAttribute, invalidInput } from './faults.js';
import type { AddressRange, Ipv6Mode, Route, Subnet } from './model.js';
import { checkedPools, defaultPools, rangesOf } from './pools.js';
import { tooManyDns, tooManyRoutes } from './subnet-faults.js';

export const MOST_DNS = 5;
export const MOST_ROUTES = 20;

/** A subnet as asked for; undefined means that the client did not say. */
export interface SubnetWish {
  readonly version: IpVersion;
  readonly cidr: string;
  readonly gateway?: string | null | undefined;
  readonly dhcp?: boolean | undefined;
  readonly pools?: readonly AddressRange[] | undefined;
  readonly dns?: readonly string[] | undefined;
  readonly routes?: readonly Route[] | undefined;
  readonly addressMode?: Ipv6Mode | null | undefined;
  readonly raMode?: Ipv6Mode | null | undefined;
  readonly serviceTypes?: readonly string[] | undefined;
  readonly dnsPublishFixedIp?: boolean | undefined;
  /** The pool that the prefix is from. */
  readonly poolId?: string | undefined;
  readonly segmentId?: string | undefined;
}

export type SubnetShape = Pick<
  Subnet,
  | 'version'
  | 'cidr'
  | 'gateway'
  | 'dhcp'
  | 'pools'
  | 'dns'
  | 'routes'
  | 'addressMode'
  | 'raMode'
  | 'serviceTypes'
  | 'dnsPublishFixedIp'
  | 'poolId'
  | 'segmentId'
>;

/** Decides what the subnet will be. Throws what is wrong with the wish. */
export function shapeSubnet(wish: SubnetWish): SubnetShape {
  const prefix = readCidr(wish);
  const dhcp = wish.dhcp ?? true;
  if (dhcp) checkServable(prefix);
  checkModes(wish, prefix, dhcp);
  const gateway = chooseGateway(prefix, wish.gateway);
  const pools = wish.pools
    ? checkedPools(prefix, wish.pools, gateway?.value ?? null)
    : defaultPools(prefix, gateway?.value ?? null);
  return {
    version: prefix.version,
    cidr: formatPrefix(prefix),
    gateway: gateway && formatIp(gateway.version, gateway.value),
    dhcp,
    pools: rangesOf(prefix.version, pools),
    dns: checkedDns(prefix.version, wish.dns ?? []),
    routes: checkedRoutes(prefix.version, wish.routes ?? []),
    addressMode: wish.addressMode ?? null,
    raMode: wish.raMode ?? null,
    serviceTypes: checkedServiceTypes(wish.serviceTypes ?? []),
    dnsPublishFixedIp: wish.dnsPublishFixedIp ?? false,
    poolId: wish.poolId ?? null,
    segmentId: wish.segmentId ?? null,
  };
}

function readCidr(wish: SubnetWish): Prefix {
  const prefix = parsePrefix(wish.cidr);
  if (!prefix) throw badAttribute('cidr', `'${wish.cidr}' is not a valid IP subnet.`);
  if (prefix.version !== wish.version) {
    throw invalidInput(`ip_version ${wish.version} does not match cidr '${wish.cidr}'.`);
  }
  if (prefix.length === 0) throw invalidInput('0 is not allowed as CIDR prefix length.');
  if (prefix.version === 6 && prefix.first === 0n) throw invalidInput("IPv6 subnet '::' is not supported");
  return prefix;
}

/** The smallest subnets in which DHCP has somebody to answer. */
const LONGEST_SERVED = { 4: 30, 6: 126 } as const;

/** Throws where DHCP can not be spoken in the subnet. */
export function checkServable(prefix: Prefix): void {
  if (prefix.length > LONGEST_SERVED[prefix.version])
    throw invalidInput('Subnet has a prefix length that is incompatible with DHCP service enabled');
  const ip = { version: prefix.version, value: prefix.first };
  if (isMulticast(ip)) throw invalidInput('Multicast IP subnet is not supported if enable_dhcp is True.');
  if (isLoopback(ip)) throw invalidInput('Loopback IP subnet is not supported if enable_dhcp is True.');
  if (prefix.first === 0n) throw invalidInput("First IP '0.0.0.0' of network is not supported if enable_dhcp is True.");
}

function checkModes(wish: SubnetWish, prefix: Prefix, dhcp: boolean): void {
  const address = wish.addressMode ?? null;
  const ra = wish.raMode ?? null;
  if (address === null && ra === null) return;
  if (prefix.version === 4) throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is 4.');
  if (!dhcp) throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False.');
  if (address !== null && ra !== null && address !== ra) {
    throw invalidInput(`ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${address}' is not valid.`);
  }
  if (isAuto(wish) && prefix.length !== 64) {
    throw invalidInput(`Invalid CIDR ${formatPrefix(prefix)} for IPv6 address mode: EUI-64 addresses need a /64.`);
  }
}

function chooseGateway(prefix: Prefix, wanted: string | null | undefined): IpAddress | null {
  if (wanted === null) return null;
  if (wanted === undefined) {
    const only = lastOf(prefix) === prefix.first;
    return { version: prefix.version, value: prefix.first + (only ? 0n : 1n) };
  }
  return checkedGateway(prefix, wanted);
}

/** A gateway that the client named. It may be outside of the subnet, since guests reach it by its own route. */
export function checkedGateway(prefix: Prefix, wanted: string): IpAddress {
  const gateway = parseIp(wanted);
  if (!gateway) throw badAttribute('gateway_ip', `'${wanted}' is not a valid IP address.`);
  if (gateway.version !== prefix.version) {
    throw invalidInput(`gateway_ip '${wanted}' does not match the ip_version '${prefix.version}'.`);
  }
  const taken = prefix.version === 4 && prefix.length < 31 && [prefix.first, lastOf(prefix)].includes(gateway.value);
  if (taken || isMulticast(gateway) || isLoopback(gateway) || gateway.value === 0n)
    throw invalidInput('Gateway is not valid on subnet');
  return gateway;
}

/** Nameservers, canonical, in the client's order. */
export function checkedDns(version: IpVersion, servers: readonly string[]): string[] {
  if (servers.length > MOST_DNS) throw tooManyDns(MOST_DNS);
  const found = servers.map((server) => {
    const ip = parseIp(server);
    if (ip === null) throw badAttribute('dns_nameservers', `'${server}' is not a valid nameserver.`);
    if (ip.version !== version)
      throw invalidInput(`dns_nameserver '${server}' does not match the ip_version '${version}'`);
    return formatIp(version, ip.value);
  });
  if (new Set(found).size < found.length) throw badAttribute('dns_nameservers', 'Duplicate nameserver.');
  return found;
}

/** Host routes, canonical. */
export function checkedRoutes(version: IpVersion, routes: readonly Route[]): Route[] {
  if (routes.length > MOST_ROUTES) throw tooManyRoutes(MOST_ROUTES);
  const found = routes.map((route) => {
    const destination = parsePrefix(route.destination);
    const nexthop = parseIp(route.nexthop);
    if (destination?.version !== version || nexthop?.version !== version) {
      throw badAttribute('host_routes', `${route.destination} via ${route.nexthop} is no route of IPv${version}.`);
    }
    return { destination: formatPrefix(destination), nexthop: formatIp(version, nexthop.value) };
  });
  const distinct = new Set(found.map((route) => `${route.destination} ${route.nexthop}`));
  if (distinct.size < found.length) throw badAttribute('host_routes', 'Duplicate route.');
  return found;
}

const SERVICE_TYPE = /^(?:network|neutron|compute):[\w.:-]*$/;

/** Owners of devices, or what they begin with, for whose ports a subnet is. */
export function checkedServiceTypes(types: readonly string[]): string[] {
  const bad = types.find((type) => !SERVICE_TYPE.test(type));
  if (bad === undefined) return [...new Set(types)];
  throw fail.invalid(`Subnet service type ${bad.slice(0, 64)} does not correspond to a valid device owner.`, {
    type: 'InvalidSubnetServiceType',
  });
}

/** True where ports address themselves from the prefix, so nothing is allocated for them. */
export function isAuto(subnet: {
  readonly addressMode?: Ipv6Mode | null | undefined;
  readonly raMode?: Ipv6Mode | null | undefined;
}): boolean {
  const mode = subnet.addressMode ?? subnet.raMode;
  return mode === 'slaac' || mode === 'dhcpv6-stateless';
}
