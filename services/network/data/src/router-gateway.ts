/** A router's way out, made, moved and taken away within the transactions that change the router. */
import type { Tx } from '#libs/platform/db';
import {
  badRouter,
  GATEWAY_OWNER,
  gatewayServesFloatingIp,
  type IpWish,
  type Network,
  type Router,
  type RouterGateway,
  refuseOverlap,
  type Subnet,
} from '#services/network/domain';
import type { FloatingIpRepo } from './floating-ip.repo.js';
import type { PortOnNetwork } from './port.listing.js';
import type { PortRepo } from './port.repo.js';
import type { PortStore } from './port.store.js';
import type { QosPolicyRepo } from './qos-policy.repo.js';
import type { RouterRepo } from './router.repo.js';
import { servedPort } from './served-port.js';

export interface GatewayWish {
  readonly network: Network;
  /** All subnets of the network. */
  readonly subnets: readonly Subnet[];
  readonly snat: boolean;
  /** Undefined: none, or as it is. */
  readonly qosPolicyId?: string | null | undefined;
  /** Undefined: addresses are ours to choose, or stay as they are. */
  readonly wishes: readonly IpWish[] | undefined;
  /** The id of the port, where one is to be made. */
  readonly newPortId: string;
}

type Subject = Pick<Router, 'id' | 'gateway'>;

export class RouterGateways {
  constructor(
    private readonly routers: RouterRepo,
    private readonly ports: PortRepo,
    private readonly portStore: PortStore,
    private readonly floatingIps: FloatingIpRepo,
    private readonly qos: QosPolicyRepo,
  ) {}

  /** Gives the router this gateway, or none. The router is locked by the caller. */
  async set(tx: Tx, router: Subject, wish: GatewayWish | null, now: Date): Promise<void> {
    const { gateway } = router;
    const stays = gateway && gateway.networkId === wish?.network.id;
    if (stays) await this.keep(tx, router, gateway, wish, now);
    else if (gateway) await this.clear(tx, router, gateway, now);
    if (wish && !stays) await this.make(tx, router, wish, now);
    if (wish?.qosPolicyId !== undefined) await this.qos.attach(tx, 'router', router.id, wish.qosPolicyId);
  }

  private async make(tx: Tx, router: Subject, wish: GatewayWish, now: Date): Promise<void> {
    const { network, subnets, wishes, newPortId } = wish;
    const external = await tx.one('select 1 from network where id = $1 and external for share', [network.id]);
    if (!external) throw notExternal(network.id);
    const device = { projectId: '', deviceId: router.id, deviceOwner: GATEWAY_OWNER };
    const draft = servedPort({ id: newPortId, ...device, network, subnets, wishes });
    const [port] = await this.portStore.createIn(tx, [draft], now);
    await this.routers.setGateway(tx, router.id, { portId: newPortId, networkId: network.id }, wish.snat);
    await this.stand(tx, router, port!, subnets);
  }

  private async keep(
    tx: Tx,
    router: Subject,
    gateway: RouterGateway,
    { wishes, subnets, snat }: GatewayWish,
    now: Date,
  ): Promise<void> {
    await this.routers.setGateway(tx, router.id, gateway, snat);
    if (wishes === undefined) return;
    const port = await this.ports.lock(tx, gateway.portId);
    const moved = await this.portStore.updateIn(tx, port!, { wishes }, subnets, now);
    await this.routers.dropLegs(tx, gateway.portId);
    await this.stand(tx, router, moved, subnets);
  }

  private async clear(tx: Tx, router: Subject, gateway: RouterGateway, now: Date): Promise<void> {
    if (await this.floatingIps.areServedBy(tx, router.id)) throw gatewayServesFloatingIp(router.id, gateway.networkId);
    await this.routers.setGateway(tx, router.id, null, true);
    await this.routers.dropLegs(tx, gateway.portId);
    await this.portStore.deleteIn(tx, [gateway.portId], now);
  }

  /** The subnets of the port's addresses are the router's too, so none of its own may overlap them. */
  private async stand(tx: Tx, { id }: Subject, port: PortOnNetwork, subnets: readonly Subnet[]): Promise<void> {
    const held = new Set(port.fixedIps.map((ip) => ip.subnetId));
    const own = subnets.filter((subnet) => held.has(subnet.id));
    refuseOverlap(await this.routers.legs(tx, id), own);
    const legs = own.map(({ id: subnetId, cidr }) => ({ portId: port.id, subnetId, cidr, isGateway: true }));
    await this.routers.addLegs(tx, id, legs);
  }
}

export const notExternal = (networkId: string): Error => badRouter(`Network ${networkId} is not an external network`);
