/** Routers: what they are, and which interfaces and routes go together. */
import { contains, formatIp, formatPrefix, overlap, parseIp, parsePrefix } from './address.js';
import { badAttribute } from './faults.js';
import type { FixedIp, Route, Standard, Subnet } from './model.js';
import { badRouter, invalidRoutes, tooManyExtraRoutes } from './router-faults.js';

export interface RouterGateway {
  readonly portId: string;
  readonly networkId: string;
  /** Whether what has no floating IP goes out under the router's address. */
  readonly snat: boolean;
  /** Of what goes through it. */
  readonly qosPolicyId: string | null;
  readonly fixedIps: readonly FixedIp[];
}

export interface Router extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly adminStateUp: boolean;
  /** Floating IPs are handled on the node of their port, where it reaches the outside; else on the gateway's. */
  readonly distributed: boolean;
  /** Several nodes stand ready to be the gateway. */
  readonly ha: boolean;
  readonly zoneHints: readonly string[];
  readonly flavorId: string | null;
  readonly routes: readonly Route[];
  /** OVN's key of the router: unique among all routers and networks. */
  readonly tunnelKey: number;
  readonly gateway: RouterGateway | null;
  /** The node that the gateway is on, as OVN says; empty where there is none. */
  readonly gatewayHost: string;
}

/** A subnet that a router has a leg in, with its address there. */
export interface RouterLeg {
  readonly portId: string;
  readonly subnetId: string;
  readonly cidr: string;
  readonly address: string;
}

export const MOST_EXTRA_ROUTES = 30;

/** Throws `BadRequest` where a router could not tell the new subnet from one that it is in already. */
export function refuseOverlap(legs: readonly RouterLeg[], added: readonly Pick<Subnet, 'id' | 'cidr'>[]): void {
  for (const subnet of added) {
    if (legs.some((leg) => leg.subnetId === subnet.id))
      throw badRouter(`Router already has a port on subnet ${subnet.id}`);
    const prefix = parsePrefix(subnet.cidr)!;
    const rival = legs.find((leg) => overlap(prefix, parsePrefix(leg.cidr)!));
    if (rival)
      throw badRouter(
        `Cidr ${subnet.cidr} of subnet ${subnet.id} overlaps with cidr ${rival.cidr} of subnet ${rival.subnetId}`,
      );
  }
}

/** Throws `BadRequest` for a subnet whose hosts listen to some other router. */
export function refuseForeignRa(subnet: Pick<Subnet, 'id' | 'version' | 'addressMode' | 'raMode'>): void {
  if (subnet.version === 6 && subnet.raMode === null && subnet.addressMode !== null)
    throw badRouter(
      `IPv6 subnet ${subnet.id} configured to receive RAs from an external router cannot be added to a router.`,
    );
}

/** What makes a port fit to be a router's leg: addresses, of which at most one is IPv4. */
export function refuseUnfitPort(subnets: readonly Pick<Subnet, 'version'>[]): void {
  if (subnets.length === 0) throw badRouter('Router port must have at least one fixed IP');
  if (subnets.filter((subnet) => subnet.version === 4).length > 1)
    throw badRouter('Cannot have multiple IPv4 subnets on router port');
}

const keyOf = (route: Route): string => `${route.destination} ${route.nexthop}`;

/** Routes as clients wrote them, canonical. */
export function readExtraRoutes(routes: readonly Route[]): Route[] {
  const read = routes.map((route) => {
    const destination = parsePrefix(route.destination);
    const nexthop = parseIp(route.nexthop);
    if (!destination) throw badAttribute('routes', `'${route.destination}' is not a valid IP subnet.`);
    if (!nexthop) throw badAttribute('routes', `'${route.nexthop}' is not a valid IP address.`);
    if (nexthop.version !== destination.version) throw invalidRoutes([route], 'the versions of its addresses differ');
    return { destination: formatPrefix(destination), nexthop: formatIp(nexthop.version, nexthop.value) };
  });
  if (new Set(read.map(keyOf)).size < read.length) throw badAttribute('routes', 'Duplicate items in the list.');
  return read;
}

/** Throws where a router with these legs could not have the routes. */
export function checkExtraRoutes(routerId: string, routes: readonly Route[], legs: readonly RouterLeg[]): void {
  if (routes.length > MOST_EXTRA_ROUTES) throw tooManyExtraRoutes(routerId, MOST_EXTRA_ROUTES);
  for (const route of routes) {
    const nexthop = parseIp(route.nexthop)!;
    if (!legs.some((leg) => contains(parsePrefix(leg.cidr)!, nexthop)))
      throw invalidRoutes(routes, 'the nexthop is not connected with router');
    if (legs.some((leg) => leg.address === route.nexthop)) throw invalidRoutes(routes, 'the nexthop is used by router');
  }
}

/** The routes with some more; one that is there already stays as it is. */
export function withRoutes(routes: readonly Route[], added: readonly Route[]): Route[] {
  const known = new Set(routes.map(keyOf));
  return [...routes, ...added.filter((route) => !known.has(keyOf(route)))];
}

export function withoutRoutes(routes: readonly Route[], removed: readonly Route[]): Route[] {
  const gone = new Set(removed.map(keyOf));
  return routes.filter((route) => !gone.has(keyOf(route)));
}

/** True where a route leads through the subnet, so the router must stay in it. */
export const leadsThrough = (routes: readonly Route[], cidr: string): boolean => {
  const prefix = parsePrefix(cidr)!;
  return routes.some((route) => contains(prefix, parseIp(route.nexthop)!));
};
