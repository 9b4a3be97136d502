/**
 * A router's legs in subnets. All that changes them holds the router's lock, so two requests for one router come one
 * after the other; that no two legs overlap is a constraint besides.
 */
import type { Db, Tx } from '#libs/platform/db';
import {
  badRouter,
  INTERFACE_OWNER,
  interfaceNotFound,
  interfaceServesFloatingIp,
  interfaceServesRoute,
  leadsThrough,
  type Network,
  noInterfaceIn,
  portInUse,
  portNotFound,
  type Router,
  refuseForeignRa,
  refuseOverlap,
  refuseUnfitPort,
  routerNotFound,
  type Subnet,
  subnetMismatch,
  subnetNotFound,
} from '#services/network/domain';
import type { FloatingIpRepo } from './floating-ip.repo.js';
import { markAndRecord } from './journal.js';
import type { PortOnNetwork } from './port.listing.js';
import type { PortRepo } from './port.repo.js';
import { draftFailure, type PortStore } from './port.store.js';
import { isLegOverlap, type Leg, type RouterRepo } from './router.repo.js';
import { servedPort } from './served-port.js';
import { isSubnetBound, type SubnetRepo } from './subnet.repo.js';

/** What was added or taken away. */
export interface RouterInterface {
  readonly routerId: string;
  readonly projectId: string;
  readonly portId: string;
  readonly networkId: string;
  /** That which was named before others of the port. */
  readonly subnetIds: readonly string[];
}

export interface SubnetToJoin {
  readonly network: Network;
  readonly subnet: Subnet;
  /** All subnets of the network. */
  readonly subnets: readonly Subnet[];
  readonly newPortId: string;
}

export class RouterInterfaceStore {
  constructor(
    private readonly db: Db,
    private readonly routers: RouterRepo,
    private readonly subnets: SubnetRepo,
    private readonly ports: PortRepo,
    private readonly portStore: PortStore,
    private readonly floatingIps: FloatingIpRepo,
  ) {}

  /** The router takes the gateway's address in the subnet; IPv6 subnets of one network share a port. */
  addSubnet(routerId: string, join: SubnetToJoin, now: Date): Promise<RouterInterface> {
    const { network, subnet, subnets } = join;
    if (subnet.gateway === null) throw badRouter('Subnet for router interface must have a gateway IP');
    refuseForeignRa(subnet);
    const wish = { subnetId: subnet.id, address: subnet.gateway };
    return this.changing(routerId, 'interface added', now, network.id, [subnet.id], async (tx, router, legs) => {
      refuseOverlap(legs, [subnet]);
      const shared = subnet.version === 6 ? legs.find((leg) => isSharable(leg, network.id)) : undefined;
      if (shared) {
        const port = (await this.ports.lock(tx, shared.portId))!;
        const wishes = [...port.fixedIps.map(keep), wish];
        await this.portStore.updateIn(tx, port, { wishes }, subnets, now);
      } else {
        const device = { projectId: router.projectId, deviceId: routerId, deviceOwner: INTERFACE_OWNER };
        const draft = servedPort({ id: join.newPortId, ...device, network, subnets, wishes: [wish] });
        await this.portStore.createIn(tx, [draft], now);
      }
      const portId = shared?.portId ?? join.newPortId;
      await this.routers.addLegs(tx, routerId, [legOf(portId, subnet)]);
      return { routerId, projectId: router.projectId, portId, networkId: network.id, subnetIds: [subnet.id] };
    });
  }

  /** The router takes a port that is there already, with the addresses that it has. */
  addPort(routerId: string, found: PortOnNetwork, now: Date): Promise<RouterInterface> {
    const { networkId } = found;
    return this.changing(routerId, 'interface added', now, networkId, [], async (tx, router, legs) => {
      const port = await this.ports.lock(tx, found.id);
      if (!port) throw portNotFound(found.id);
      if (port.deviceId !== '') throw portInUse(port.id, port.networkId, port.deviceId);
      const all = await this.subnets.ofNetworks(tx, [networkId]);
      const own = port.fixedIps.map((ip) => all.find((subnet) => subnet.id === ip.subnetId)!);
      refuseUnfitPort(own);
      own.forEach(refuseForeignRa);
      refuseOverlap(legs, own);
      if (own.some((subnet) => subnet.version === 6)) refuseSecondV6(legs, port);
      const device = { deviceId: routerId, deviceOwner: INTERFACE_OWNER };
      await this.portStore.updateIn(tx, port, device, all, now);
      await this.routers.addLegs(
        tx,
        routerId,
        own.map((subnet) => legOf(port.id, subnet)),
      );
      const subnetIds = own.map((subnet) => subnet.id);
      return { routerId, projectId: router.projectId, portId: port.id, networkId, subnetIds };
    });
  }

  /** Takes the router out of a subnet, or out of all subnets of a port. A port that has no more addresses goes. */
  remove(
    routerId: string,
    { portId, subnetId }: { readonly portId?: string | undefined; readonly subnetId?: string | undefined },
    now: Date,
  ): Promise<RouterInterface> {
    return this.changing(routerId, 'interface removed', now, '', [], async (tx, router, legs) => {
      const gone = chosenLegs(routerId, legs, portId, subnetId);
      for (const leg of gone) await this.refuseUsed(tx, router, leg);
      const port = (await this.ports.lock(tx, gone[0]!.portId))!;
      const subnetIds = gone.map((leg) => leg.subnetId);
      await this.routers.dropLegs(tx, port.id, subnetIds);
      const wishes = port.fixedIps.filter((ip) => !subnetIds.includes(ip.subnetId)).map(keep);
      if (wishes.length === 0) await this.portStore.deleteIn(tx, [port.id], now);
      else {
        const subnets = await this.subnets.ofNetworks(tx, [port.networkId]);
        await this.portStore.updateIn(tx, port, { wishes }, subnets, now);
      }
      return { routerId, projectId: router.projectId, portId: port.id, networkId: port.networkId, subnetIds };
    });
  }

  private async refuseUsed(tx: Tx, router: Router, { subnetId, cidr }: Leg): Promise<void> {
    if (leadsThrough(router.routes, cidr)) throw interfaceServesRoute(router.id, subnetId);
    if (await this.floatingIps.areServedBy(tx, router.id, subnetId))
      throw interfaceServesFloatingIp(router.id, subnetId);
  }

  private async changing(
    routerId: string,
    what: string,
    now: Date,
    networkId: string,
    subnetIds: readonly string[],
    work: (tx: Tx, router: Router, legs: readonly Leg[]) => Promise<RouterInterface>,
  ): Promise<RouterInterface> {
    try {
      return await this.db.tx(async (tx) => {
        const router = await this.routers.lock(tx, routerId);
        if (!router) throw routerNotFound(routerId);
        const done = await work(tx, router, await this.routers.legs(tx, routerId));
        await this.routers.touch(tx, routerId, now);
        const related = [done.portId, ...done.subnetIds];
        await markAndRecord(tx, 'router', [routerId], [{ resourceId: routerId, what, related }], now);
        return done;
      });
    } catch (error) {
      if (isLegOverlap(error)) throw badRouter('Router already has a port on an overlapping subnet');
      if (isSubnetBound(error)) throw subnetNotFound(subnetIds.join(', '));
      throw draftFailure(error, { networkId, groupIds: [] });
    }
  }
}

const keep = ({ subnetId, address }: { readonly subnetId: string; readonly address: string }) => ({
  subnetId,
  address,
});
const isSharable = (leg: Leg, networkId: string): boolean =>
  !leg.isGateway && leg.networkId === networkId && leg.cidr.includes(':');
const legOf = (portId: string, subnet: Subnet) => ({
  portId,
  subnetId: subnet.id,
  cidr: subnet.cidr,
  isGateway: false,
});

function refuseSecondV6(legs: readonly Leg[], port: PortOnNetwork): void {
  const rival = legs.find((leg) => isSharable(leg, port.networkId));
  if (rival)
    throw badRouter(
      `Router already contains IPv6 port ${rival.portId} belonging to network id ${port.networkId}. Only one IPv6 port from the same network subnet can be connected to a router`,
    );
}

function chosenLegs(
  routerId: string,
  legs: readonly Leg[],
  portId: string | undefined,
  subnetId: string | undefined,
): Leg[] {
  const inner = legs.filter((leg) => !leg.isGateway);
  if (portId === undefined) {
    const found = inner.filter((leg) => leg.subnetId === subnetId);
    if (found.length === 0) throw noInterfaceIn(routerId, subnetId ?? '');
    return found;
  }
  const found = inner.filter((leg) => leg.portId === portId);
  if (found.length === 0) throw interfaceNotFound(routerId, portId);
  if (subnetId !== undefined && !found.some((leg) => leg.subnetId === subnetId)) throw subnetMismatch(portId, subnetId);
  return found;
}
