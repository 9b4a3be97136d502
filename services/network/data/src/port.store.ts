/** What clients do with ports, each as one transaction with its addresses, groups, quota, marks and events. */
import { type Db, isViolation, type Tx } from '#libs/platform/db';
import {
  claimsFor,
  type FixedIp,
  type IpWish,
  isAuto,
  macInUse,
  NO_EXTRAS,
  networkNotFound,
  type Port,
  type PortExtras,
  portNotFound,
  portOfTrunk,
  qosPolicyNotFound,
  type Subnet,
} from '#services/network/domain';
import type { AllocationRepo } from './allocation.repo.js';
import { markAndRecord } from './journal.js';
import type { PortOnNetwork } from './port.listing.js';
import { type NewPort, type PortChange, type PortRepo, portWriteFailure } from './port.repo.js';
import type { PortFollowers } from './port-followers.js';
import { isQosPolicyBound, type QosPolicyRepo } from './qos-policy.repo.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import { isTrunked, type TrunkRepo } from './trunk.repo.js';

export interface PortDraft extends Omit<NewPort, 'mac' | keyof PortExtras> {
  /** Undefined: made here. */
  readonly mac: string | undefined;
  readonly wishes: readonly IpWish[] | undefined;
  readonly groupIds: readonly string[];
  readonly qosPolicyId: string | null;
  readonly networkProjectId: string;
  readonly networkQosPolicyId: string | null;
  readonly networkDnsDomain: string;
  readonly extras?: PortExtras | undefined;
  /** All subnets of its network. */
  readonly subnets: readonly Subnet[];
}

export interface PortRevision extends PortChange {
  readonly wishes?: readonly IpWish[] | undefined;
  readonly groupIds?: readonly string[] | undefined;
  readonly qosPolicyId?: string | null | undefined;
}

const MAC_TRIES = 8;

export class PortStore {
  constructor(
    private readonly db: Db,
    private readonly ports: PortRepo,
    private readonly allocations: AllocationRepo,
    private readonly qos: QosPolicyRepo,
    private readonly trunks: TrunkRepo,
    private readonly quotas: QuotaRepo,
    private readonly followers: PortFollowers,
    private readonly newMac: () => string,
  ) {}

  /** All of them or none. */
  async create(drafts: readonly PortDraft[], now: Date): Promise<PortOnNetwork[]> {
    try {
      return await this.db.tx((tx) => this.createIn(tx, drafts, now));
    } catch (error) {
      throw draftFailure(error, drafts[0]);
    }
  }

  /** The same within a transaction of the caller, which passes what it throws through `draftFailure`. */
  async createIn(tx: Tx, drafts: readonly PortDraft[], now: Date): Promise<PortOnNetwork[]> {
    const made: PortOnNetwork[] = [];
    for (const draft of drafts) made.push(await this.createOne(tx, draft, now));
    const events = made.map((port) => event(port, 'port created'));
    await markAndRecord(
      tx,
      'port',
      made.map((port) => port.id),
      events,
      now,
    );
    for (const [projectId, own] of Map.groupBy(made, (port) => port.projectId)) {
      if (projectId !== '') await this.quotas.take(tx, projectId, 'port', own.length);
    }
    return made;
  }

  /** `decide` sees the port as it is under lock, and says what to change. */
  async update(
    id: string,
    subnets: readonly Subnet[],
    decide: (port: PortOnNetwork) => PortRevision,
    now: Date,
    revision?: number,
  ): Promise<PortOnNetwork> {
    let touched: Attempt = { networkId: '', mac: '', groupIds: [] };
    try {
      return await this.db.tx(async (tx) => {
        await expectRevision(tx, 'port', id, revision);
        const before = await this.ports.lock(tx, id);
        if (!before) throw portNotFound(id);
        const change = decide(before);
        const { qosPolicyId, groupIds = [] } = change;
        touched = { networkId: before.networkId, mac: change.mac ?? before.mac, groupIds, qosPolicyId };
        return this.updateIn(tx, before, change, subnets, now);
      });
    } catch (error) {
      throw draftFailure(error, touched);
    }
  }

  /** The same within a transaction of the caller, on a port that it has locked. */
  async updateIn(
    tx: Tx,
    before: PortOnNetwork,
    change: PortRevision,
    subnets: readonly Subnet[],
    now: Date,
  ): Promise<PortOnNetwork> {
    const { wishes, groupIds, qosPolicyId, ...columns } = change;
    await this.ports.update(tx, before.id, columns, now);
    await this.readdress(tx, before, change.mac ?? before.mac, wishes, subnets);
    if (groupIds !== undefined) await this.ports.setGroups(tx, before.id, groupIds);
    if (qosPolicyId !== undefined) await this.qos.attach(tx, 'port', before.id, qosPolicyId);
    const carried = await this.rebind(tx, before, change.host, now);
    const after = await this.ports.find(tx, before.id);
    if (!after) throw portNotFound(before.id);
    await this.followers.changed(tx, before, after, now);
    await markAndRecord(tx, 'port', [before.id, ...carried], [event(after, 'port updated')], now);
    return after;
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        await expectRevision(tx, 'port', id, revision);
        const { trunk } = (await this.ports.lock(tx, id)) ?? {};
        if (trunk) throw portOfTrunk(id, trunk);
        if ((await this.deleteIn(tx, [id], now)) === 0) throw portNotFound(id);
      });
    } catch (error) {
      if (!isTrunked(error)) throw error;
      const trunk = (await this.ports.find(this.db, id))?.trunk;
      throw portOfTrunk(id, trunk ?? { id: 'that was made meanwhile', vlan: null });
    }
  }

  /** Deletes those that are there; gives their number. */
  async deleteIn(tx: Tx, ids: readonly string[], now: Date): Promise<number> {
    await this.followers.going(tx, ids, now);
    const gone = await this.ports.delete(tx, ids);
    const goneIds = gone.map((port) => port.id);
    await markAndRecord(
      tx,
      'port',
      goneIds,
      goneIds.map((id) => ({ resourceId: id, what: 'port deleted' })),
      now,
    );
    await this.quotas.release(
      tx,
      'port',
      gone.map((port) => port.projectId),
    );
    return gone.length;
  }

  /** What a trunk's parent carries is where it is. */
  private async rebind(tx: Tx, { id, host, trunk }: Port, wanted: string | undefined, now: Date): Promise<string[]> {
    if (trunk?.vlan !== null || wanted === undefined || wanted === host) return [];
    return this.trunks.follow(tx, id, wanted, now);
  }

  private async createOne(tx: Tx, draft: PortDraft, now: Date): Promise<PortOnNetwork> {
    const { wishes, groupIds, networkProjectId, subnets, mac: wanted, extras = NO_EXTRAS, ...own } = draft;
    const row = { ...own, ...extras };
    const mac = await this.insert(tx, { ...row, mac: wanted }, groupIds, now);
    if (row.qosPolicyId !== null) await this.qos.attach(tx, 'port', row.id, row.qosPolicyId);
    const { networkId, deviceOwner } = row;
    const claims = claimsFor({ networkId, deviceOwner, subnets, mac, wishes, current: [] });
    const fixedIps = await this.allocations.claim(tx, { networkId: row.networkId, portId: row.id, subnets, claims });
    const born = { status: 'DOWN' as const, trunk: null, tags: [], revision: 1, createdAt: now, updatedAt: now };
    return { ...row, ...born, mac, fixedIps, groupIds, networkProjectId };
  }

  private async insert(
    tx: Tx,
    row: Omit<NewPort, 'mac'> & { readonly mac: string | undefined },
    groupIds: readonly string[],
    now: Date,
  ): Promise<string> {
    for (let tries = 0; tries < MAC_TRIES; tries++) {
      const mac = row.mac ?? this.newMac();
      if (await this.ports.insert(tx, { ...row, mac }, groupIds, now)) return mac;
      if (row.mac !== undefined) break;
    }
    throw macInUse(row.networkId, row.mac ?? '');
  }

  /** Gives the port the addresses that it shall have now, keeping those that it has and shall keep. */
  private async readdress(
    tx: Tx,
    port: Port,
    mac: string,
    asked: readonly IpWish[] | undefined,
    subnets: readonly Subnet[],
  ): Promise<void> {
    const wishes = asked ?? (mac === port.mac ? undefined : keeping(port.fixedIps, subnets));
    if (wishes === undefined) return;
    const { networkId, deviceOwner, id: portId } = port;
    const claims = claimsFor({ networkId, deviceOwner, subnets, mac, wishes, current: port.fixedIps });
    const given = new Set(claims.flatMap((claim) => (claim.kind === 'given' ? [claim.address] : [])));
    const kept = new Set(port.fixedIps.map((ip) => ip.address).filter((address) => given.has(address)));
    await this.allocations.release(
      tx,
      portId,
      port.fixedIps.map((ip) => ip.address).filter((address) => !kept.has(address)),
    );
    const missing = claims.filter((claim) => claim.kind === 'any' || !kept.has(claim.address));
    const taken = await this.allocations.claim(tx, {
      networkId,
      portId,
      subnets,
      claims: missing,
      from: port.fixedIps.length,
    });
    const fresh = [...taken];
    const order = claims.map((claim) =>
      claim.kind === 'given' && kept.has(claim.address) ? claim.address : (fresh.shift()?.address ?? ''),
    );
    await this.allocations.order(tx, portId, order);
  }
}

/** The wishes that keep a port's addresses but those that follow from its MAC. */
function keeping(ips: readonly FixedIp[], subnets: readonly Subnet[]): IpWish[] {
  return ips.map((ip) => {
    const subnet = subnets.find((known) => known.id === ip.subnetId);
    return subnet && isAuto(subnet) ? { subnetId: ip.subnetId } : { subnetId: ip.subnetId, address: ip.address };
  });
}

/** What was being written when the database refused. */
export interface Attempt {
  readonly networkId: string;
  readonly mac?: string | undefined;
  readonly groupIds: readonly string[];
  readonly qosPolicyId?: string | null | undefined;
}

/** The failure for what the database refused. To be used outside the transaction. */
export function draftFailure(error: unknown, attempt: Attempt | undefined): unknown {
  if (!attempt) return error;
  if (isViolation(error, 'foreignKey', 'port_network_id_fkey')) return networkNotFound(attempt.networkId);
  if (isViolation(error, 'foreignKey', 'ip_allocation_subnet_id_fkey')) return networkNotFound(attempt.networkId);
  if (isQosPolicyBound(error)) return qosPolicyNotFound(attempt.qosPolicyId ?? '');
  return portWriteFailure(error, { ...attempt, mac: attempt.mac ?? '' });
}

const describe = (port: PortOnNetwork): string =>
  [port.mac, ...port.fixedIps.map((ip) => ip.address), ...(port.host ? [`on ${port.host}`] : [])].join(' ');

const event = (port: PortOnNetwork, what: string) => ({
  resourceId: port.id,
  what,
  detail: describe(port),
  related: [port.networkId, ...(port.deviceId ? [port.deviceId] : [])],
});
