import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import {
  type Association,
  FLOATING_IP_FIELDS,
  type FloatingIpDraft,
  type FloatingIpRevision,
} from '#services/network/data';
import {
  badFloatingIp,
  canonicalIp,
  checkedDnsDomain,
  checkedDnsName,
  type FloatingIp,
  type IpWish,
  isVisible,
  type Network,
  networkNotFound,
  type Subnet,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { changedQosPolicy, usableQosPolicies } from '../qos-policy/qos-policy.use.js';
import { type AnyCall, demand, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { checkTargetPort, loadFloatingIp } from './floating-ip.access.js';
import {
  type FloatingIpChangeBody,
  floatingIpView,
  type NewFloatingIpBody,
  poolView,
  type ShownFloatingIp,
} from './floating-ip.wire.js';

const POOL_FIELDS = {
  filters: ['subnet_id', 'subnet_name', 'project_id', 'tenant_id', 'network_id', 'cidr'],
  sorts: [],
};

@Injectable()
export class FloatingIpHandlers {
  constructor(private readonly parts: NetworkParts) {}

  load(call: AnyCall): Promise<FloatingIp> {
    return loadFloatingIp(this.parts, call);
  }

  async create(call: AnyCall): Promise<Reply> {
    const { floatingip: item } = call.body as { floatingip: NewFloatingIpBody };
    const draft = await this.draft(call, item);
    await usableQosPolicies(this.parts, call, [draft]);
    const made = await this.parts.books.floatingIpStore.create(draft, this.parts.now());
    return this.reply(call, made);
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, FLOATING_IP_FIELDS);
    const { books } = this.parts;
    const page = await books.floatingIps.list(books.db, request, scopeOf(call.who));
    const shown = await this.shown(page.rows);
    const view = (ip: FloatingIp) => floatingIpView(shown.get(ip.id)!, call);
    return { body: listBody('floatingips', page, request, call, view) };
  }

  async show(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    const { fields } = readList(call.query, FLOATING_IP_FIELDS);
    const shown = (await this.shown([floating])).get(floating.id)!;
    return { body: { floatingip: pick(floatingIpView(shown, call), fields) } };
  }

  async update(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    const { floatingip: item } = call.body as { floatingip: FloatingIpChangeBody };
    if (item.port_id != null) await checkTargetPort(this.parts, call, item.port_id, floating.projectId);
    const { books } = this.parts;
    const qosPolicyId = await changedQosPolicy(this.parts, call, item.qos_policy_id, floating.qosPolicyId);
    const decide = (now: FloatingIp) => ({ ...revisionFor(item, now), qosPolicyId });
    const after = await books.floatingIpStore.update(floating.id, decide, this.parts.now(), revisionOf(call));
    return this.reply(call, after);
  }

  async remove(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    await this.parts.books.floatingIpStore.delete(floating.id, this.parts.now(), revisionOf(call));
    return {};
  }

  /** The subnets that floating IPs of this caller may come from. */
  async pools(call: AnyCall): Promise<Reply> {
    const { filters, fields } = readList(call.query, POOL_FIELDS);
    const { books } = this.parts;
    const subnets = await books.subnets.forFloatingIps(books.db, scopeOf(call.who));
    const matches = (pool: Record<string, unknown>): boolean =>
      [...filters].every(([name, values]) => values.includes(String(pool[name])));
    const pools = subnets.map(poolView).filter(matches);
    return { body: { floatingip_pools: pools.map((pool) => pick(pool, fields)) } };
  }

  private async reply(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    return { body: { floatingip: floatingIpView((await this.shown([floating])).get(floating.id)!, call) } };
  }

  private async shown(floating: readonly FloatingIp[]): Promise<ReadonlyMap<string, ShownFloatingIp>> {
    const { books } = this.parts;
    const ids = floating.flatMap((ip) => ip.portId ?? []);
    const ports = new Map((await books.ports.findMany(books.db, ids)).map((port) => [port.id, port]));
    const forwarding = floating.filter((ip) => ip.routerId !== null && ip.portId === null).map((ip) => ip.id);
    const forwardings = Map.groupBy(
      await books.forwardings.ofFloatingIps(books.db, forwarding),
      (each) => each.floatingIpId,
    );
    return new Map(
      floating.map((ip) => [
        ip.id,
        { ip, port: ports.get(ip.portId ?? ''), forwardings: forwardings.get(ip.id) ?? [] },
      ]),
    );
  }

  private async draft(call: AnyCall, item: NewFloatingIpBody): Promise<FloatingIpDraft> {
    const projectId = ownerOf(call, 'create_floatingip', item);
    if (item.floating_ip_address != null) demand(call, 'create_floatingip:floating_ip_address', { projectId });
    const { books, ids } = this.parts;
    const network = await this.network(call, item.floating_network_id);
    const subnets = (await books.subnets.ofNetworks(books.db, [network.id])).filter((subnet) => subnet.version === 4);
    const wish = wishOf(item, network, subnets);
    if (item.port_id == null && item.fixed_ip_address != null)
      throw badFloatingIp('fixed_ip_address cannot be specified without a port_id');
    if (item.port_id != null) await checkTargetPort(this.parts, call, item.port_id, projectId);
    return {
      id: ids.uuid(),
      ownPortId: ids.uuid(),
      projectId,
      description: item.description ?? '',
      dnsName: checkedDnsName(item.dns_name ?? ''),
      dnsDomain: checkedDnsDomain(item.dns_domain ?? ''),
      network,
      subnets,
      wishes: wish && [wish],
      association: associationOf(item),
      qosPolicyId: item.qos_policy_id ?? null,
    };
  }

  private async network(call: AnyCall, id: string): Promise<Network> {
    const { books } = this.parts;
    const network = isUuid(id) ? await books.networks.find(books.db, id) : undefined;
    const known = network && (isVisible(network, call.who.projectId) || mayKnow(call.who, network.projectId));
    if (!network || !known) throw networkNotFound(id);
    if (!network.external) throw badFloatingIp(`Network ${network.id} is not a valid external network`);
    return network;
  }
}

/** The address or the subnet that was asked for; undefined where any of the network's IPv4 addresses will do. */
function wishOf(item: NewFloatingIpBody, network: Network, usable: readonly Subnet[]): IpWish | undefined {
  if (usable.length === 0) throw badFloatingIp(`Network ${network.id} does not contain any IPv4 subnet`);
  const subnetId = item.subnet_id?.toLowerCase();
  if (subnetId !== undefined && !usable.some((subnet) => subnet.id === subnetId))
    throw badFloatingIp(`Subnet ${subnetId} is not an IPv4 subnet of network ${network.id}`);
  if (item.floating_ip_address != null) return { subnetId, address: item.floating_ip_address };
  return subnetId === undefined ? undefined : { subnetId };
}

const addressOf = (item: { readonly fixed_ip_address?: string | null | undefined }): string | undefined =>
  item.fixed_ip_address == null ? undefined : (canonicalIp(item.fixed_ip_address) ?? item.fixed_ip_address);

const associationOf = (item: FloatingIpChangeBody): Association | null =>
  item.port_id == null ? null : { portId: item.port_id.toLowerCase(), address: addressOf(item) };

/** An address alone is another one of the port that the floating IP stands for already. */
function revisionFor(item: FloatingIpChangeBody, now: FloatingIp): FloatingIpRevision {
  const text = item.description === undefined ? {} : { description: item.description };
  if (item.port_id !== undefined) {
    if (item.port_id === null && item.fixed_ip_address != null)
      throw badFloatingIp('fixed_ip_address cannot be specified without a port_id');
    return { ...text, association: associationOf(item) };
  }
  if (item.fixed_ip_address == null) return text;
  if (now.portId === null) throw badFloatingIp('fixed_ip_address cannot be specified without a port_id');
  return { ...text, association: { portId: now.portId, address: addressOf(item) } };
}
