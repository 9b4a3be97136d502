import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { NETWORK_FIELDS, type NetworkDraft, type NetworkRevision } from '#services/network/data';
import {
  checkedDnsDomain,
  checkedMtu,
  checkedZones,
  invalidInput,
  isVisible,
  type Network,
  networkNotFound,
  type SegmentWish,
  severalSegments,
  shapeSegment,
  zonesOf,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { changedQosPolicy, usableQosPolicies } from '../qos-policy/qos-policy.use.js';
import { type AnyCall, demand, idOf, itemsOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn, toNumber } from '../values.wire.js';
import { type NetworkChangeBody, type NewNetworkBody, networkView } from './network.wire.js';

@Injectable()
export class NetworkHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<Network> {
    const id = idOf(call, networkNotFound);
    const network = await this.parts.books.networks.find(this.parts.books.db, id);
    if (!network || !(isVisible(network, call.who.projectId) || mayKnow(call.who, network.projectId)))
      throw networkNotFound(id);
    return network;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewNetworkBody>(call.body, 'network', 'networks');
    const { books } = this.parts;
    const drafts = items.map((item) => this.draft(call, item));
    await usableQosPolicies(this.parts, call, drafts);
    const now = this.parts.now();
    for (const projectId of new Set(drafts.map((draft) => draft.projectId)))
      await books.groupStore.ensureDefault(projectId, now);
    const made = await books.networkStore.create(drafts, now);
    const shown = made.map((network) => this.view(network, call));
    return { body: bulk ? { networks: shown } : { network: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, NETWORK_FIELDS);
    const { books } = this.parts;
    const page = await books.networks.list(books.db, request, scopeOf(call.who));
    return { body: listBody('networks', page, request, call, (network) => this.view(network, call)) };
  }

  show(call: AnyCall, network: Network): Reply {
    const { fields } = readList(call.query, NETWORK_FIELDS);
    return { body: { network: pick(this.view(network, call), fields) } };
  }

  async update(call: AnyCall, network: Network): Promise<Reply> {
    const { network: item } = call.body as { network: NetworkChangeBody };
    const qosPolicyId = await changedQosPolicy(this.parts, call, item.qos_policy_id, network.qosPolicyId);
    const change = { ...this.change(call, item, network), qosPolicyId };
    const after = await this.parts.books.networkStore.update(network.id, change, this.parts.now(), revisionOf(call));
    return { body: { network: this.view(after, call) } };
  }

  async remove(call: AnyCall, network: Network): Promise<Reply> {
    await this.parts.books.networkStore.delete(network.id, this.parts.now(), revisionOf(call));
    return {};
  }

  private draft(call: AnyCall, item: NewNetworkBody): NetworkDraft {
    const projectId = ownerOf(call, 'create_network', item);
    demandRights(call, item, 'create');
    const { ids, newMac, settings } = this.parts;
    const { mostMtu, ...segment } = shapeSegment(newSegment(item), settings.physicalNetworks, settings.mtu);
    return {
      id: ids.uuid(),
      projectId,
      name: item.name ?? '',
      description: item.description ?? '',
      adminStateUp: isOn(item.admin_state_up) ?? true,
      shared: isOn(item.shared) ?? false,
      external: isOn(item['router:external']) ?? false,
      isDefault: isOn(item.is_default) ?? false,
      qosPolicyId: item.qos_policy_id ?? null,
      mtu: checkedMtu(toNumber(item.mtu), mostMtu),
      portSecurity: isOn(item.port_security_enabled) ?? true,
      dnsDomain: checkedDnsDomain(item.dns_domain ?? ''),
      zoneHints: checkedZones(item.availability_zone_hints ?? [], this.parts.chassis()),
      ...segment,
      segmentId: ids.uuid(),
      metadataPortId: ids.uuid(),
      metadataMac: newMac(),
    };
  }

  private change(call: AnyCall, item: NetworkChangeBody, network: Network): NetworkRevision {
    demandRights(call, item, 'update');
    refuseMove(item, network);
    return {
      name: item.name,
      description: item.description,
      adminStateUp: isOn(item.admin_state_up),
      shared: isOn(item.shared),
      external: isOn(item['router:external']),
      isDefault: isOn(item.is_default),
      portSecurity: isOn(item.port_security_enabled),
      dnsDomain: item.dns_domain === undefined ? undefined : checkedDnsDomain(item.dns_domain ?? ''),
      mtu: item.mtu === undefined ? undefined : checkedMtu(toNumber(item.mtu), this.mostMtu(network)),
    };
  }

  private view(network: Network, call: AnyCall): Record<string, unknown> {
    return networkView(network, call, zonesOf(this.parts.chassis()));
  }

  private mostMtu({ physicalNetwork }: Network): number {
    const { physicalNetworks, mtu } = this.parts.settings;
    return physicalNetworks.find((known) => known.name === physicalNetwork)?.mtu ?? mtu;
  }
}

const segmentOf = (item: Pick<NetworkChangeBody, `provider:${string}` & keyof NetworkChangeBody>): SegmentWish => ({
  type: item['provider:network_type'] ?? undefined,
  physicalNetwork: item['provider:physical_network'] ?? undefined,
  segmentationId: toNumber(item['provider:segmentation_id']) ?? undefined,
});

/** How a new network is carried, said in one way or in the other. */
function newSegment(item: NewNetworkBody): SegmentWish {
  const [only, ...others] = item.segments ?? [];
  if (only === undefined) return segmentOf(item);
  if (others.length > 0) throw severalSegments();
  if (isCarried(item)) throw invalidInput('Segments and provider values cannot both be set.');
  return segmentOf(only);
}

const isCarried = (item: NetworkChangeBody): boolean =>
  Object.values(segmentOf(item)).some((value) => value !== undefined);

/** Throws `forbidden` for the first attribute that only an administrator may set. */
function demandRights(call: AnyCall, item: NetworkChangeBody, verb: 'create' | 'update'): void {
  if (isOn(item.shared)) demand(call, `${verb}_network:shared`);
  if (isOn(item['router:external'])) demand(call, `${verb}_network:router:external`);
  if (isOn(item.is_default)) demand(call, `${verb}_network:is_default`);
  if (isCarried(item)) demand(call, `${verb}_network:provider`);
  if ((item as NewNetworkBody).segments !== undefined) demand(call, 'create_network:segments');
}

/** A network stays on its carrier: what an update says of it must be what is so already. */
function refuseMove(item: NetworkChangeBody, network: Network): void {
  const { type, physicalNetwork, segmentationId } = segmentOf(item);
  const same =
    (type ?? network.networkType) === network.networkType &&
    (physicalNetwork ?? network.physicalNetwork) === network.physicalNetwork &&
    (segmentationId ?? network.segmentationId) === network.segmentationId;
  if (!same) throw invalidInput('Plugin does not support updating the following provider network attributes.');
}
