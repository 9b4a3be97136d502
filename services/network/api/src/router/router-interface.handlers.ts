/** A router's legs in subnets, by subnet or by port. */
import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import type { PortOnNetwork, SubnetToJoin } from '#services/network/data';
import {
  badRouter,
  EVERYONE,
  type Network,
  networkNotFound,
  portNotFound,
  type Router,
  reaches,
  type Subnet,
  subnetNotFound,
} from '#services/network/domain';
import { NetworkParts } from '../parts.js';
import { type AnyCall, isAdmin, mayKnow } from '../scope.js';
import { loadRouter } from './router.handlers.js';
import { type InterfaceBody, interfaceView } from './router.wire.js';

@Injectable()
export class RouterInterfaceHandlers {
  constructor(private readonly parts: NetworkParts) {}

  load(call: AnyCall): Promise<Router> {
    return loadRouter(this.parts, call);
  }

  async add(call: AnyCall, router: Router): Promise<Reply> {
    const { subnet_id: subnetId, port_id: portId } = call.body as InterfaceBody;
    const { interfaceStore } = this.parts.books;
    if (subnetId != null && portId != null) throw badRouter('Cannot specify both subnet-id and port-id');
    if (portId != null) {
      const port = await this.port(call, portId);
      return { body: interfaceView(await interfaceStore.addPort(router.id, port, this.parts.now())) };
    }
    if (subnetId == null) throw badRouter('Either subnet_id or port_id must be specified');
    const join = await this.toJoin(call, subnetId);
    return { body: interfaceView(await interfaceStore.addSubnet(router.id, join, this.parts.now())) };
  }

  async remove(call: AnyCall, router: Router): Promise<Reply> {
    const { subnet_id: subnetId, port_id: portId } = call.body as InterfaceBody;
    if (subnetId == null && portId == null) throw badRouter('Either subnet_id or port_id must be specified');
    if (portId != null && !isUuid(portId)) throw portNotFound(portId);
    if (subnetId != null && !isUuid(subnetId)) throw subnetNotFound(subnetId);
    const which = { portId: portId?.toLowerCase(), subnetId: subnetId?.toLowerCase() };
    const done = await this.parts.books.interfaceStore.remove(router.id, which, this.parts.now());
    return { body: interfaceView(done) };
  }

  private async port(call: AnyCall, id: string): Promise<PortOnNetwork> {
    const { books } = this.parts;
    const port = isUuid(id) ? await books.ports.find(books.db, id) : undefined;
    if (!port || !mayKnow(call.who, port.projectId)) throw portNotFound(id);
    return port;
  }

  private async toJoin(call: AnyCall, id: string): Promise<SubnetToJoin> {
    const { books, ids } = this.parts;
    const subnet = isUuid(id) ? await books.subnets.find(books.db, id) : undefined;
    const known =
      subnet &&
      (reaches(subnet.networkSharedWith, call.who.projectId) ||
        mayKnow(call.who, subnet.projectId, subnet.networkProjectId));
    if (!subnet || !known) throw subnetNotFound(id);
    const network = await books.networks.find(books.db, subnet.networkId);
    if (!network) throw networkNotFound(subnet.networkId);
    refuseStranger(call, subnet, network);
    const subnets = await books.subnets.ofNetworks(books.db, [network.id]);
    return { network, subnet, subnets, newPortId: ids.uuid() };
  }
}

/** What is open to everyone is not for anyone to route: its owner's router has its gateway address. */
function refuseStranger(call: AnyCall, subnet: Subnet, network: Network): void {
  const own = call.who.projectId;
  if (isAdmin(call.who) || subnet.projectId === own) return;
  if (network.sharedWith.some((target) => target === own && target !== EVERYONE)) return;
  throw badRouter(
    `Cannot add interface to router because subnet ${subnet.id} is not owned by project making the request`,
  );
}
