import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { PORT_FIELDS, type PortDraft, type PortOnNetwork } from '#services/network/data';
import {
  deviceNotOwned,
  INTERFACE_OWNER,
  isServiceOwner,
  METADATA_OWNER,
  type Network,
  networkNotFound,
  portNotFound,
  portServed,
  reaches,
  type Subnet,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { changedQosPolicy, usableQosPolicies } from '../qos-policy/qos-policy.use.js';
import { type AnyCall, demand, idOf, isAdmin, itemsOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { checkedProfile, newExtras } from './port.extras.js';
import { readMac, readPairs } from './port.pairs.js';
import { type NewPortBody, type PortChangeBody, portView } from './port.wire.js';
import { type Guarding, PortWishes } from './port.wishes.js';

interface Ground {
  readonly network: Network;
  readonly subnets: readonly Subnet[];
}

@Injectable()
export class PortHandlers {
  private readonly wishes: PortWishes;

  constructor(private readonly parts: NetworkParts) {
    this.wishes = new PortWishes(parts);
  }

  async load(call: AnyCall): Promise<PortOnNetwork> {
    const id = idOf(call, portNotFound);
    const port = await this.parts.books.ports.find(this.parts.books.db, id);
    if (!port || !mayKnow(call.who, port.projectId, port.networkProjectId)) throw portNotFound(id);
    return port;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewPortBody>(call.body, 'port', 'ports');
    const grounds = await this.grounds(call, items);
    const drafts: PortDraft[] = [];
    for (const item of items) drafts.push(await this.draft(call, item, grounds.get(item.network_id)!));
    await usableQosPolicies(this.parts, call, drafts);
    const made = await this.parts.books.portStore.create(drafts, this.parts.now());
    const shown = made.map((port) => portView(port, call));
    return { body: bulk ? { ports: shown } : { port: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, PORT_FIELDS);
    if (request.filters.has('binding:host_id')) demand(call, 'get_port:binding');
    const { books } = this.parts;
    const page = await books.ports.list(books.db, request, scopeOf(call.who));
    return { body: listBody('ports', page, request, call, (port) => portView(port, call)) };
  }

  show(call: AnyCall, port: PortOnNetwork): Reply {
    const { fields } = readList(call.query, PORT_FIELDS);
    return { body: { port: pick(portView(port, call), fields) } };
  }

  async update(call: AnyCall, port: PortOnNetwork): Promise<Reply> {
    const { port: item } = call.body as { port: PortChangeBody };
    const { books } = this.parts;
    refuseServed(port, item, isAdmin(call.who));
    this.wishes.demandRights(call, item, 'update', port);
    const groupIds = await this.wishes.groupsForChange(call, item, port);
    const subnets = await books.subnets.ofNetworks(books.db, [port.networkId]);
    const qosPolicyId = await changedQosPolicy(this.parts, call, item.qos_policy_id, port.qosPolicyId);
    const decide = (now: PortOnNetwork) => ({ ...this.wishes.change(call, item, now, groupIds), qosPolicyId });
    const after = await books.portStore.update(port.id, subnets, decide, this.parts.now(), revisionOf(call));
    return { body: { port: portView(after, call) } };
  }

  /**
   * A server may lose its port this way: its guest is cut off, and the server goes on without it. The owner of a network
   * may do without metadata on it.
   */
  async remove(call: AnyCall, port: PortOnNetwork): Promise<Reply> {
    if (isServiceOwner(port.deviceOwner) && port.deviceOwner !== METADATA_OWNER)
      throw portServed(port.id, port.deviceOwner);
    await this.parts.books.portStore.delete(port.id, this.parts.now(), revisionOf(call));
    return {};
  }

  /** The networks of new ports, as far as the caller may use them, with their subnets. */
  private async grounds(call: AnyCall, items: readonly NewPortBody[]): Promise<Map<string, Ground>> {
    const { books } = this.parts;
    const ids = [...new Set(items.map((item) => item.network_id))];
    const networks = await books.networks.findMany(books.db, ids.filter(isUuid));
    const subnets = await books.subnets.ofNetworks(
      books.db,
      networks.map((network) => network.id),
    );
    const grounds = new Map<string, Ground>();
    for (const id of ids) {
      const network = networks.find((known) => known.id === id.toLowerCase());
      const known =
        network && (reaches(network.sharedWith, call.who.projectId) || mayKnow(call.who, network.projectId));
      if (!network || !known) throw networkNotFound(id);
      grounds.set(id, { network, subnets: subnets.filter((subnet) => subnet.networkId === network.id) });
    }
    return grounds;
  }

  private async draft(call: AnyCall, item: NewPortBody, { network, subnets }: Ground): Promise<PortDraft> {
    const projectId = ownerOf(call, 'create_port', item);
    if (isServiceOwner(item.device_owner ?? '')) throw deviceNotOwned(item.device_id ?? '');
    this.wishes.demandRights(call, item, 'create', { projectId, networkProjectId: network.projectId });
    const mac = item.mac_address == null ? undefined : readMac(item.mac_address);
    const guarding: Guarding = this.wishes.guarding(item, network);
    const ownMac = mac ?? this.parts.newMac();
    return {
      id: this.parts.ids.uuid(),
      networkId: network.id,
      projectId,
      name: item.name ?? '',
      description: item.description ?? '',
      // Pairs without an address of their own need to know the port's.
      mac: item.allowed_address_pairs?.length ? ownMac : mac,
      adminStateUp: isOn(item.admin_state_up) ?? true,
      deviceId: item.device_id ?? '',
      deviceOwner: item.device_owner ?? '',
      host: item['binding:host_id'] ?? '',
      vnicType: this.wishes.vnicType(item),
      profile: checkedProfile(item) ?? {},
      portSecurity: guarding.portSecurity,
      addressPairs: readPairs(item.allowed_address_pairs ?? [], ownMac),
      hostname: '',
      ownedByServer: false,
      wishes: this.wishes.addresses(item),
      groupIds: await this.wishes.groupsForNew(call, item, projectId, guarding),
      qosPolicyId: item.qos_policy_id ?? null,
      networkProjectId: network.projectId,
      networkQosPolicyId: network.qosPolicyId,
      networkDnsDomain: network.dnsDomain,
      extras: newExtras(item),
      subnets,
    };
  }
}

/**
 * What a port that serves a router, a floating IP or metadata is, stays with what it serves. A router's leg may get
 * another address where it is.
 */
function refuseServed(port: PortOnNetwork, item: PortChangeBody, admin: boolean): void {
  const owner = item.device_owner ?? '';
  if (!isServiceOwner(port.deviceOwner)) {
    if (isServiceOwner(owner)) throw deviceNotOwned(item.device_id ?? port.deviceId);
    return;
  }
  if (port.deviceOwner === METADATA_OWNER && !admin) throw portServed(port.id, port.deviceOwner);
  const given = item.device_id !== undefined && (item.device_id ?? '') !== port.deviceId;
  const owned = item.device_owner !== undefined && owner !== port.deviceOwner;
  if (given || owned || movesLeg(port, item)) throw portServed(port.id, port.deviceOwner);
}

function movesLeg(port: PortOnNetwork, item: PortChangeBody): boolean {
  if (item.fixed_ips === undefined) return false;
  const held = port.fixedIps.map((ip) => ip.subnetId).sort();
  const wanted = (item.fixed_ips ?? []).map((ip) => ip.subnet_id).sort();
  const isLeg = port.deviceOwner === INTERFACE_OWNER;
  return !isLeg || held.length !== wanted.length || held.some((id, at) => id !== wanted[at]);
}
