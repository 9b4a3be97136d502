import { Injectable } from '@nestjs/common';
import { fail, isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import {
  type NewSubnet,
  SUBNET_FIELDS,
  type SubnetChange,
  type SubnetDraft,
  type SubnetOnNetwork,
} from '#services/network/data';
import {
  badAttribute,
  checkCarries,
  checkedDns,
  checkedGateway,
  checkedPools,
  checkedRoutes,
  checkedServiceTypes,
  checkServable,
  formatIp,
  invalidInput,
  networkNotFound,
  parseIp,
  parsePrefix,
  rangesOf,
  reaches,
  type Subnet,
  type SubnetPool,
  type SubnetWish,
  shapeSubnet,
  subnetNotFound,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, demand, idOf, itemsOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn, toNumber } from '../values.wire.js';
import { poolFor, versionOf } from './subnet.pooled.js';
import { type NewSubnetBody, type SubnetChangeBody, subnetView } from './subnet.wire.js';

interface Draft {
  readonly subnet: SubnetDraft;
  /** Whether its network leads out of the cloud. */
  readonly external: boolean;
}

@Injectable()
export class SubnetHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<SubnetOnNetwork> {
    const id = idOf(call, subnetNotFound);
    const { books } = this.parts;
    const subnet = await books.subnets.find(books.db, id);
    const known =
      subnet &&
      (reaches([...subnet.networkSharedWith, ...subnet.networkExternalTo], call.who.projectId) ||
        mayKnow(call.who, subnet.projectId, subnet.networkProjectId));
    if (!subnet || !known) throw subnetNotFound(id);
    return subnet;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewSubnetBody>(call.body, 'subnet', 'subnets');
    const drafts: Draft[] = [];
    for (const item of items) drafts.push(await this.draft(call, item));
    const made = await this.parts.books.subnetStore.create(
      drafts.map((draft) => draft.subnet),
      this.parts.now(),
    );
    const shown = made.map((subnet, index) => subnetView({ ...subnet, external: drafts[index]!.external }, call));
    return { body: bulk ? { subnets: shown } : { subnet: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, SUBNET_FIELDS);
    const { books } = this.parts;
    const page = await books.subnets.list(books.db, request, scopeOf(call.who));
    return { body: listBody('subnets', page, request, call, (subnet) => subnetView(subnet, call)) };
  }

  show(call: AnyCall, subnet: SubnetOnNetwork): Reply {
    const { fields } = readList(call.query, SUBNET_FIELDS);
    return { body: { subnet: pick(subnetView(subnet, call), fields) } };
  }

  async update(call: AnyCall, subnet: SubnetOnNetwork): Promise<Reply> {
    const { subnet: item } = call.body as { subnet: SubnetChangeBody };
    if (item.service_types !== undefined) demand(call, 'update_subnet:service_types');
    if (item.segment_id !== undefined) demand(call, 'update_subnet:segment_id');
    const decide = (before: Subnet) => change(before, item);
    const after = await this.parts.books.subnetStore.update(subnet.id, decide, this.parts.now(), revisionOf(call));
    return { body: { subnet: subnetView({ ...after, external: subnet.external }, call) } };
  }

  async remove(call: AnyCall, subnet: Subnet): Promise<Reply> {
    await this.parts.books.subnetStore.delete(subnet.id, this.parts.now(), revisionOf(call));
    return {};
  }

  private async draft(call: AnyCall, item: NewSubnetBody): Promise<Draft> {
    const { books, ids } = this.parts;
    const projectId = ownerOf(call, 'create_subnet', item);
    const network = isUuid(item.network_id) ? await books.networks.find(books.db, item.network_id) : undefined;
    const known = network && (reaches(network.sharedWith, call.who.projectId) || mayKnow(call.who, network.projectId));
    if (!network || !known) throw networkNotFound(item.network_id);
    demand(call, 'create_subnet', { projectId: network.projectId });
    if (item.service_types !== undefined) demand(call, 'create_subnet:service_types');
    if (item.segment_id != null) demand(call, 'create_subnet:segment_id');
    const pool = await poolFor(this.parts, call, item);
    const texts = { name: item.name ?? '', description: item.description ?? '' };
    const base = { id: ids.uuid(), networkId: network.id, projectId, ...texts };
    const shaped = (cidr: string): NewSubnet => {
      const shape = shapeSubnet({ ...wishOf(item, cidr), poolId: pool?.id });
      checkCarries(network, shape.version);
      return { ...base, ...shape };
    };
    return { external: network.external, subnet: this.prefixed(item, pool, projectId, shaped) };
  }

  /** The subnet with the client's prefix, or with one that its pool gives when it is written. */
  private prefixed(
    item: NewSubnetBody,
    pool: SubnetPool | undefined,
    projectId: string,
    shaped: (cidr: string) => NewSubnet,
  ): SubnetDraft {
    const cidr = item.cidr ?? undefined;
    if (pool) {
      const wish = { cidr, length: toNumber(item.prefixlen) ?? undefined };
      const { subnetPoolStore } = this.parts.books;
      return async (tx) => shaped(await subnetPoolStore.allot(tx, { poolId: pool.id, projectId, wish }));
    }
    if (cidr !== undefined) return shaped(cidr);
    throw fail.invalid('a subnetpool must be specified in the absence of a cidr', { type: 'BadRequest' });
  }
}

function wishOf(item: NewSubnetBody, cidr: string): SubnetWish {
  return {
    version: versionOf(item) ?? (cidr.includes(':') ? 6 : 4),
    cidr,
    gateway: item.gateway_ip,
    dhcp: isOn(item.enable_dhcp),
    pools: item.allocation_pools ?? undefined,
    dns: item.dns_nameservers ?? undefined,
    routes: item.host_routes ?? undefined,
    addressMode: item.ipv6_address_mode,
    raMode: item.ipv6_ra_mode,
    serviceTypes: item.service_types,
    dnsPublishFixedIp: isOn(item.dns_publish_fixed_ip),
    segmentId: segmentOf(item) ?? undefined,
  };
}

/** An id, in its normal form. */
function segmentOf({ segment_id: id }: SubnetChangeBody): string | null {
  if (id == null) return null;
  if (!isUuid(id)) throw badAttribute('segment_id', `'${id}' is not a valid UUID.`);
  return id.toLowerCase();
}

/** What an update changes, checked against the subnet as it is. */
function change(subnet: Subnet, item: SubnetChangeBody): SubnetChange {
  const prefix = parsePrefix(subnet.cidr)!;
  const given = item.gateway_ip == null ? item.gateway_ip : checkedGateway(prefix, item.gateway_ip);
  const gateway = given && formatIp(given.version, given.value);
  const ranges = item.allocation_pools ?? subnet.pools;
  const after = gateway === undefined ? subnet.gateway : gateway;
  const pools = checkedPools(prefix, ranges, after === null ? null : parseIp(after)!.value);
  const dhcp = isOn(item.enable_dhcp);
  if (dhcp === true && !subnet.dhcp) checkServable(prefix);
  const publish = isOn(item.dns_publish_fixed_ip);
  if (dhcp === false && (subnet.addressMode ?? subnet.raMode) !== null) {
    throw invalidInput('enable_dhcp can not be off while ipv6_ra_mode or ipv6_address_mode is set.');
  }
  return {
    ...(item.name === undefined ? {} : { name: item.name }),
    ...(item.description === undefined ? {} : { description: item.description }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(dhcp === undefined ? {} : { dhcp }),
    ...(item.allocation_pools == null ? {} : { pools: rangesOf(prefix.version, pools) }),
    ...(item.dns_nameservers == null ? {} : { dns: checkedDns(prefix.version, item.dns_nameservers) }),
    ...(publish === undefined ? {} : { dnsPublishFixedIp: publish }),
    ...(item.service_types === undefined ? {} : { serviceTypes: checkedServiceTypes(item.service_types) }),
    ...(item.segment_id === undefined ? {} : { segmentId: segmentOf(item) }),
    ...(item.host_routes == null ? {} : { routes: checkedRoutes(prefix.version, item.host_routes) }),
  };
}
