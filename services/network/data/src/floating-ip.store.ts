/** What clients do with floating IPs, each as one transaction with the port that holds the address, quota and marks. */

import { isFailure } from '#libs/kernel';
import { type Db, isViolation, type Tx } from '#libs/platform/db';
import {
  chosenAddress,
  externalExhausted,
  FLOATING_OWNER,
  type FloatingIp,
  type FloatingTarget,
  floatingIpForwards,
  floatingIpNotFound,
  type IpWish,
  type Network,
  noWayOut,
  portAssociated,
  portIsForwarded,
  portNotFound,
  qosPolicyNotFound,
  type Subnet,
} from '#services/network/domain';
import { type FloatingIpRepo, isAssociatedTwice } from './floating-ip.repo.js';
import { markAndRecord, markDirty } from './journal.js';
import type { PortRepo } from './port.repo.js';
import { draftFailure, type PortStore } from './port.store.js';
import type { PortForwardingRepo } from './port-forwarding.repo.js';
import { isQosPolicyBound, type QosPolicyRepo } from './qos-policy.repo.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import { notExternal } from './router-gateway.js';
import { servedPort } from './served-port.js';
import { ServerNewsRepo } from './server-news.repo.js';

/** The port, and its address where the client names one. */
export interface Association {
  readonly portId: string;
  readonly address: string | undefined;
}

export interface FloatingIpDraft {
  readonly id: string;
  readonly ownPortId: string;
  readonly projectId: string;
  readonly description: string;
  readonly dnsName: string;
  readonly dnsDomain: string;
  readonly network: Network;
  /** The IPv4 subnets of the network. */
  readonly subnets: readonly Subnet[];
  /** Undefined: any address. */
  readonly wishes: readonly IpWish[] | undefined;
  readonly association: Association | null;
  readonly qosPolicyId: string | null;
}

export interface FloatingIpRevision {
  readonly description?: string | undefined;
  /** Undefined: as it is. Null: none. */
  readonly association?: Association | null | undefined;
  readonly qosPolicyId?: string | null | undefined;
}

export class FloatingIpStore {
  private readonly serverNews = new ServerNewsRepo();

  constructor(
    private readonly db: Db,
    private readonly floatingIps: FloatingIpRepo,
    private readonly ports: PortRepo,
    private readonly portStore: PortStore,
    private readonly forwardings: PortForwardingRepo,
    private readonly qos: QosPolicyRepo,
    private readonly quotas: QuotaRepo,
  ) {}

  async create(draft: FloatingIpDraft, now: Date): Promise<FloatingIp> {
    const { network } = draft;
    let address = '';
    try {
      return await this.db.tx(async (tx) => {
        address = await this.hold(tx, draft, now);
        const { association, ...rest } = draft;
        await this.floatingIps.insert(tx, { ...rest, networkId: network.id, address }, now);
        const target = association && (await this.target(tx, network.id, association));
        if (target) await this.floatingIps.setTarget(tx, draft.id, target, now);
        if (draft.qosPolicyId !== null) await this.qos.attach(tx, 'floatingip', draft.id, draft.qosPolicyId);
        const made = (await this.floatingIps.find(tx, draft.id))!;
        await this.serverNews.tellOfPorts(tx, [made.portId], now);
        await this.tell(tx, made, 'floating IP created', now);
        await this.quotas.take(tx, draft.projectId, 'floatingip', 1);
        return made;
      });
    } catch (error) {
      if (isAssociatedTwice(error))
        throw portAssociated({ ...draft, address, networkId: network.id }, draft.association!);
      throw draftFailure(error, { networkId: network.id, groupIds: [], qosPolicyId: draft.qosPolicyId });
    }
  }

  /** `decide` sees the floating IP as it is under lock, and says what to change. */
  async update(
    id: string,
    decide: (floating: FloatingIp) => FloatingIpRevision,
    now: Date,
    revision?: number,
  ): Promise<FloatingIp> {
    let attempt: { floating: FloatingIp; association: Association } | undefined;
    let policy: string | null | undefined;
    try {
      return await this.db.tx(async (tx) => {
        await expectRevision(tx, 'floatingip', id, revision);
        const before = await this.floatingIps.lock(tx, id);
        if (!before) throw floatingIpNotFound(id);
        const { description, association, qosPolicyId } = decide(before);
        policy = qosPolicyId;
        if (association) attempt = { floating: before, association };
        if (qosPolicyId !== undefined) await this.qos.attach(tx, 'floatingip', id, qosPolicyId);
        if (description !== undefined || qosPolicyId !== undefined)
          await this.floatingIps.describe(tx, id, description ?? before.description, now);
        if (association !== undefined) await this.associate(tx, before, association, now);
        const after = (await this.floatingIps.find(tx, id))!;
        if (association !== undefined) await this.serverNews.tellOfPorts(tx, [before.portId, after.portId], now);
        await this.tell(tx, after, 'floating IP updated', now);
        return after;
      });
    } catch (error) {
      if (attempt && isAssociatedTwice(error)) throw portAssociated(attempt.floating, attempt.association);
      if (attempt && isViolation(error, 'foreignKey', 'floatingip_port'))
        throw portNotFound(attempt.association.portId);
      if (isQosPolicyBound(error)) throw qosPolicyNotFound(policy ?? '');
      throw error;
    }
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    await this.db.tx(async (tx) => {
      await expectRevision(tx, 'floatingip', id, revision);
      const floating = await this.floatingIps.lock(tx, id);
      if (!floating) throw floatingIpNotFound(id);
      await this.dropForwardings(tx, id, now);
      await this.floatingIps.delete(tx, id);
      await this.serverNews.tellOfPorts(tx, [floating.portId], now);
      await this.portStore.deleteIn(tx, [floating.ownPortId], now);
      await this.tell(tx, floating, 'floating IP deleted', now);
      await this.quotas.release(tx, 'floatingip', [floating.projectId]);
    });
  }

  /** Makes the port that holds the address; gives the address. */
  private async hold(tx: Tx, draft: FloatingIpDraft, now: Date): Promise<string> {
    const { network, subnets, wishes, ownPortId } = draft;
    const external = await tx.one('select 1 from network where id = $1 and external for share', [network.id]);
    if (!external) throw notExternal(network.id);
    const device = { projectId: '', deviceId: draft.id, deviceOwner: FLOATING_OWNER };
    try {
      const port = servedPort({ id: ownPortId, ...device, network, subnets, wishes });
      const [made] = await this.portStore.createIn(tx, [port], now);
      return made!.fixedIps[0]!.address;
    } catch (error) {
      const exhausted = isFailure(error) && error.type === 'IpAddressGenerationFailure';
      throw exhausted ? externalExhausted(network.id) : error;
    }
  }

  private async associate(tx: Tx, before: FloatingIp, association: Association | null, now: Date): Promise<void> {
    const { id, networkId } = before;
    const forwards = (await this.forwardings.ofFloatingIps(tx, [id])).length > 0;
    if (association && forwards) throw floatingIpForwards(id);
    if (forwards) return;
    await this.floatingIps.setTarget(tx, id, association && (await this.target(tx, networkId, association)), now);
  }

  /** What it shall stand for: the address of the port, by way of a router between the two networks. */
  private async target(tx: Tx, networkId: string, { portId, address }: Association): Promise<FloatingTarget> {
    const port = await this.ports.find(tx, portId);
    if (!port) throw portNotFound(portId);
    if ((await this.forwardings.ofPorts(tx, [portId], false)).length > 0) throw portIsForwarded(portId);
    const chosen = chosenAddress(port, address);
    const { subnetId } = port.fixedIps.find((ip) => ip.address === chosen)!;
    const routerId = await this.floatingIps.routerBetween(tx, subnetId, networkId);
    if (routerId === undefined) throw noWayOut(networkId, subnetId, portId);
    return { routerId, portId, address: chosen };
  }

  private async dropForwardings(tx: Tx, id: string, now: Date): Promise<void> {
    const ids = (await this.forwardings.ofFloatingIps(tx, [id])).map((forwarding) => forwarding.id);
    if (ids.length === 0) return;
    await this.forwardings.delete(tx, ids, now);
    await markDirty(tx, 'port_forwarding', ids, now);
  }

  private async tell(tx: Tx, floating: FloatingIp, what: string, now: Date): Promise<void> {
    const related = [floating.routerId, floating.portId, floating.networkId].filter((id) => id !== null);
    const event = { resourceId: floating.id, what, detail: floating.address, related };
    await markAndRecord(tx, 'floatingip', [floating.id], [event], now);
  }
}
