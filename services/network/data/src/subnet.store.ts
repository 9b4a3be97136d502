/**
 * What clients do with subnets. A subnet with DHCP gives an address to the network's metadata port; a self-addressed one
 * to every port that stands on the network already.
 */
import { type Db, isViolation, type Tx } from '#libs/platform/db';
import {
  eui64,
  gatewayInUse,
  invalidInput,
  isAuto,
  METADATA_OWNER,
  networkNotFound,
  otherPool,
  parsePrefix,
  type Subnet,
  subnetInUse,
  subnetNotFound,
} from '#services/network/domain';
import type { AllocationRepo } from './allocation.repo.js';
import { markDirty, markPortsOf, markPortsWithOptions, markSelected, record } from './journal.js';
import type { MetadataPorts } from './metadata-port.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import { ROUTERS_IN_SUBNET } from './router.repo.js';
import type { SegmentStore } from './segment.store.js';
import { isOverlap, isSubnetStillUsed, type NewSubnet, type SubnetChange, type SubnetRepo } from './subnet.repo.js';
import type { SubnetPoolRepo } from './subnet-pool.repo.js';

/** A subnet whose prefix is only known within the transaction that also keeps others from it. */
export type LateSubnet = (tx: Tx) => Promise<NewSubnet>;
export type SubnetDraft = NewSubnet | LateSubnet;

export class SubnetStore {
  constructor(
    private readonly db: Db,
    private readonly subnets: SubnetRepo,
    private readonly allocations: AllocationRepo,
    private readonly pools: SubnetPoolRepo,
    private readonly quotas: QuotaRepo,
    private readonly metadata: MetadataPorts,
    private readonly segments: SegmentStore,
  ) {}

  /** All of them or none. */
  async create(drafts: readonly SubnetDraft[], now: Date): Promise<Subnet[]> {
    let tried: NewSubnet[] = [];
    try {
      return await this.db.tx(async (tx) => {
        tried = [];
        const made: Subnet[] = [];
        for (const draft of drafts) {
          const subnet = typeof draft === 'function' ? await draft(tx) : draft;
          tried.push(subnet);
          made.push(await this.createIn(tx, subnet, now));
        }
        await record(
          tx,
          made.map((subnet) => ({ resourceId: subnet.id, what: 'subnet created', related: [subnet.networkId] })),
          now,
        );
        const byProject = Map.groupBy(made, (subnet) => subnet.projectId);
        for (const [projectId, own] of byProject) await this.quotas.take(tx, projectId, 'subnet', own.length);
        return made;
      });
    } catch (error) {
      if (isViolation(error, 'foreignKey', 'subnet_network_id_fkey')) throw networkNotFound(tried[0]?.networkId ?? '');
      throw isOverlap(error) ? overlapping(tried) : error;
    }
  }

  /** `decide` sees the subnet as it is under lock, and says what to change. */
  update(id: string, decide: (subnet: Subnet) => SubnetChange, now: Date, revision?: number): Promise<Subnet> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'subnet', id, revision);
      const before = await this.subnets.lock(tx, id);
      if (!before) throw subnetNotFound(id);
      const change = decide(before);
      if (change.gateway !== undefined && before.gateway !== null && change.gateway !== before.gateway) {
        await this.refuseUsedGateway(tx, before, before.gateway);
      }
      if (change.segmentId !== undefined)
        await this.segments.check(tx, { ...before, segmentId: change.segmentId }, before.segmentId);
      const after = await this.subnets.update(tx, id, change, now);
      if (!after) throw subnetNotFound(id);
      if (after.dhcp !== before.dhcp) await this.switchDhcp(tx, after, now);
      else await markPortsWithOptions(tx, after.networkId, now);
      await markDirty(tx, 'subnet', [id], now);
      await markSelected(tx, 'router', ROUTERS_IN_SUBNET, [id], now);
      await record(tx, [{ resourceId: id, what: 'subnet updated' }], now);
      return after;
    });
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        await expectRevision(tx, 'subnet', id, revision);
        const subnet = await this.subnets.lock(tx, id);
        if (!subnet) throw subnetNotFound(id);
        const touched = await this.allocations.releaseImplied(tx, subnet, isAuto(subnet));
        const users = await this.allocations.usersOf(tx, id);
        if (users.length > 0) throw subnetInUse(id, users);
        if (!(await this.subnets.delete(tx, id))) throw subnetNotFound(id);
        await markDirty(tx, 'subnet', [id], now);
        await markDirty(tx, 'port', touched, now);
        await record(tx, [{ resourceId: id, what: 'subnet deleted', related: [subnet.networkId] }], now);
        await this.quotas.release(tx, 'subnet', [subnet.projectId]);
      });
    } catch (error) {
      throw isSubnetStillUsed(error) ? subnetInUse(id) : error;
    }
  }

  private async createIn(tx: Tx, draft: NewSubnet, now: Date): Promise<Subnet> {
    // Subnets of one version on one network are all from one pool, or all from none.
    const others = await this.pools.poolsOn(tx, draft.networkId, draft.version);
    if (others.some((other) => other !== draft.poolId)) throw otherPool();
    await this.segments.check(tx, draft, null);
    const subnet = await this.subnets.insert(tx, draft, now);
    await markDirty(tx, 'subnet', [subnet.id], now);
    if (subnet.dhcp && subnet.version === 4) await this.addMetadata(tx, subnet, now);
    if (isAuto(subnet)) await this.addressPorts(tx, subnet, now);
    return subnet;
  }

  private async addMetadata(tx: Tx, subnet: Subnet, now: Date): Promise<void> {
    const port = await this.metadata.of(tx, subnet.networkId, now);
    if (!port) return;
    const ip = await this.allocations.claimIfAny(tx, subnet.networkId, port.id, subnet, port.fixedIps.length);
    if (ip) await markDirty(tx, 'port', [port.id], now);
  }

  /** Guests that are there already will take an address of the new prefix. */
  private async addressPorts(tx: Tx, subnet: Subnet, now: Date): Promise<void> {
    const prefix = parsePrefix(subnet.cidr)!;
    const ports = await tx.query<{ id: string; mac: string }>(
      `select id, mac::text as mac from port where network_id = $1 and device_owner not like 'network:%'`,
      [subnet.networkId],
    );
    await tx.exec(
      `insert into ip_allocation (network_id, subnet_id, port_id, address, ordinal)
       select $1, $2, p.id, p.address, 100 from unnest($3::uuid[], $4::inet[]) p(id, address) on conflict do nothing`,
      [subnet.networkId, subnet.id, ports.map((port) => port.id), ports.map((port) => eui64(prefix, port.mac))],
    );
    await markDirty(
      tx,
      'port',
      ports.map((port) => port.id),
      now,
    );
  }

  private async switchDhcp(tx: Tx, subnet: Subnet, now: Date): Promise<void> {
    if (subnet.version === 4 && subnet.dhcp) await this.addMetadata(tx, subnet, now);
    if (subnet.version === 4 && !subnet.dhcp)
      await this.allocations.releaseImplied(tx, subnet, false, [METADATA_OWNER]);
    await markPortsOf(tx, subnet.networkId, now);
  }

  private async refuseUsedGateway(tx: Tx, subnet: Subnet, gateway: string): Promise<void> {
    const holder = await this.allocations.routerAt(tx, subnet.networkId, gateway);
    if (holder !== undefined) throw gatewayInUse(gateway, holder);
  }
}

function overlapping(drafts: readonly NewSubnet[]): Error {
  const cidrs = drafts.map((draft) => draft.cidr).join(', ');
  const network = drafts[0]?.networkId ?? '';
  return invalidInput(`Requested subnet with cidr: ${cidrs} for network: ${network} overlaps with another subnet.`);
}
