import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { NETWORK_FIELDS, type NetworkChange, type NewNetwork } from '#services/network/data';
import { invalidInput, type Network, networkNotFound } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, demand, idOf, itemsOf, mayKnow, ownerOf, scopeOf } from '../scope.js';
import { isOn, toNumber } from '../values.wire.js';
import { type NetworkChangeBody, type NewNetworkBody, networkView } from './network.wire.js';

const LEAST_MTU = 68;

@Injectable()
export class NetworkHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<Network> {
    const id = idOf(call, networkNotFound);
    const network = await this.parts.books.networks.find(this.parts.books.db, id);
    if (!network || !(network.shared || mayKnow(call.who, network.projectId))) throw networkNotFound(id);
    return network;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewNetworkBody>(call.body, 'network', 'networks');
    const { books } = this.parts;
    const drafts = items.map((item) => this.draft(call, item));
    const now = this.parts.now();
    for (const projectId of new Set(drafts.map((draft) => draft.projectId)))
      await books.groupStore.ensureDefault(projectId, now);
    const made = await books.networkStore.create(drafts, now);
    const shown = made.map((network) => networkView(network, call));
    return { body: bulk ? { networks: shown } : { network: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, NETWORK_FIELDS);
    const { books } = this.parts;
    const page = await books.networks.list(books.db, request, scopeOf(call.who));
    return { body: listBody('networks', page, request, call, (network) => networkView(network, call)) };
  }

  show(call: AnyCall, network: Network): Reply {
    const { fields } = readList(call.query, NETWORK_FIELDS);
    return { body: { network: pick(networkView(network, call), fields) } };
  }

  async update(call: AnyCall, network: Network): Promise<Reply> {
    const { network: item } = call.body as { network: NetworkChangeBody };
    const after = await this.parts.books.networkStore.update(network.id, this.change(call, item), this.parts.now());
    return { body: { network: networkView(after, call) } };
  }

  async remove(network: Network): Promise<Reply> {
    await this.parts.books.networkStore.delete(network.id, this.parts.now());
    return {};
  }

  private draft(call: AnyCall, item: NewNetworkBody): NewNetwork {
    const projectId = ownerOf(call, 'create_network', item);
    this.refuseUnsupported(call, item, 'create');
    if (item.availability_zone_hints?.length) {
      throw fail.notFound(`AvailabilityZone ${item.availability_zone_hints[0]} could not be found.`, {
        type: 'AvailabilityZoneNotFound',
      });
    }
    const { ids, newMac, settings } = this.parts;
    return {
      id: ids.uuid(),
      projectId,
      name: item.name ?? '',
      description: item.description ?? '',
      adminStateUp: isOn(item.admin_state_up) ?? true,
      shared: isOn(item.shared) ?? false,
      mtu: this.mtu(item.mtu) ?? settings.mtu,
      portSecurity: isOn(item.port_security_enabled) ?? true,
      segmentationId: toNumber(item['provider:segmentation_id']) ?? undefined,
      metadataPortId: ids.uuid(),
      metadataMac: newMac(),
    };
  }

  private change(call: AnyCall, item: NetworkChangeBody): NetworkChange {
    this.refuseUnsupported(call, item, 'update');
    if (item['provider:segmentation_id'] != null)
      throw invalidInput('the segmentation id of a network can not be changed.');
    return {
      ...(item.name === undefined ? {} : { name: item.name }),
      ...(item.description === undefined ? {} : { description: item.description }),
      ...flags(item),
      ...(item.mtu === undefined ? {} : { mtu: this.mtu(item.mtu) ?? this.parts.settings.mtu }),
    };
  }

  /** Attributes that only administrators may set, and those whose only value here is the usual one. */
  private refuseUnsupported(call: AnyCall, item: NetworkChangeBody, verb: 'create' | 'update'): void {
    if (isOn(item.shared)) demand(call, `${verb}_network:shared`);
    if (isOn(item['router:external'])) {
      demand(call, `${verb}_network:router:external`);
      throw invalidInput('external networks are not available in this cloud.');
    }
    if (isOn(item.is_default)) throw invalidInput('there are no default external networks in this cloud.');
    const type = item['provider:network_type'];
    const physical = item['provider:physical_network'];
    const segment = toNumber(item['provider:segmentation_id']);
    if (type == null && physical == null && segment == null) return;
    demand(call, `${verb}_network:provider`);
    if (type != null && type !== 'geneve') throw invalidInput(`network_type value '${type}' not supported.`);
    if (physical != null) throw invalidInput('physical_network is not for networks of type geneve.');
    if (segment != null && (segment < 1 || segment > 16_777_215))
      throw invalidInput(`segmentation_id ${segment} is out of range.`);
  }

  private mtu(given: string | number | undefined): number | undefined {
    const mtu = toNumber(given);
    if (mtu == null || mtu === 0) return undefined;
    const { mtu: most } = this.parts.settings;
    if (mtu < LEAST_MTU || mtu > most)
      throw invalidInput(`Requested MTU ${mtu} is not between ${LEAST_MTU} and ${most}.`);
    return mtu;
  }
}

function flags(item: NetworkChangeBody): NetworkChange {
  const adminStateUp = isOn(item.admin_state_up);
  const shared = isOn(item.shared);
  const portSecurity = isOn(item.port_security_enabled);
  return {
    ...(adminStateUp === undefined ? {} : { adminStateUp }),
    ...(shared === undefined ? {} : { shared }),
    ...(portSecurity === undefined ? {} : { portSecurity }),
  };
}
