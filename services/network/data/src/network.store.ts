/** What clients do with networks, each as one transaction with its quota, its marks and its events. */
import { fail } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import {
  checkCarries,
  EVERYONE,
  externalNetworkInUse,
  type Network,
  networkInUse,
  networkNotFound,
  qosPolicyNotFound,
  type RbacAction,
  sharedNetworkInUse,
} from '#services/network/domain';
import type { FloatingIpRepo } from './floating-ip.repo.js';
import { markDirty, markPortsOf, markSelected, record } from './journal.js';
import {
  isNetworkStillUsed,
  isSecondDefault,
  isSegmentTaken,
  type NetworkChange,
  type NetworkRepo,
  type NewNetwork,
} from './network.repo.js';
import type { PortRepo } from './port.repo.js';
import type { PortFollowers } from './port-followers.js';
import { isQosPolicyBound, type QosPolicyRepo } from './qos-policy.repo.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import { ROUTERS_ON_NETWORK } from './router.repo.js';
import type { Sharing } from './sharing.js';

export interface NetworkDraft extends NewNetwork {
  /** For everyone to use. */
  readonly shared: boolean;
  /** Null: its project's default, where it has one. */
  readonly qosPolicyId: string | null;
}

export interface NetworkRevision extends NetworkChange {
  readonly shared?: boolean | undefined;
  readonly qosPolicyId?: string | null | undefined;
}

export class NetworkStore {
  constructor(
    private readonly db: Db,
    private readonly networks: NetworkRepo,
    private readonly qos: QosPolicyRepo,
    private readonly sharing: Sharing,
    private readonly quotas: QuotaRepo,
    private readonly floatingIps: FloatingIpRepo,
    private readonly ports: PortRepo,
    private readonly followers: PortFollowers,
  ) {}

  /** All of them or none. */
  async create(drafts: readonly NetworkDraft[], now: Date): Promise<Network[]> {
    try {
      return await this.createAll(drafts, now);
    } catch (error) {
      if (isSecondDefault(error)) throw secondDefaultNetwork();
      if (isQosPolicyBound(error))
        throw qosPolicyNotFound(drafts.find((draft) => draft.qosPolicyId)?.qosPolicyId ?? '');
      throw isSegmentTaken(error) ? segmentTaken(drafts) : error;
    }
  }

  private createAll(drafts: readonly NetworkDraft[], now: Date): Promise<Network[]> {
    return this.db.tx(async (tx) => {
      const made: Network[] = [];
      for (const draft of drafts) made.push(await this.insert(tx, draft, now));
      await markDirty(
        tx,
        'network',
        made.map((network) => network.id),
        now,
      );
      await markDirty(
        tx,
        'port',
        drafts.map((draft) => draft.metadataPortId),
        now,
      );
      await record(
        tx,
        made.map((network) => ({ resourceId: network.id, what: 'network created' })),
        now,
      );
      const byProject = Map.groupBy(made, (network) => network.projectId);
      for (const [projectId, own] of byProject) await this.quotas.take(tx, projectId, 'network', own.length);
      return made;
    });
  }

  async update(id: string, change: NetworkRevision, now: Date, revision?: number): Promise<Network> {
    try {
      return await this.updateOne(id, change, now, revision);
    } catch (error) {
      if (isQosPolicyBound(error)) throw qosPolicyNotFound(change.qosPolicyId ?? '');
      throw isSecondDefault(error) ? secondDefaultNetwork() : error;
    }
  }

  private updateOne(id: string, change: NetworkRevision, now: Date, revision?: number): Promise<Network> {
    const { shared, qosPolicyId, ...columns } = change;
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'network', id, revision);
      const before = await this.networks.find(tx, id);
      if (!before) throw networkNotFound(id);
      if (shared !== undefined) await this.openToAll(tx, before, 'access_as_shared', shared);
      if (change.external !== undefined && change.external !== before.external) {
        if (!change.external) await this.refuseGateways(tx, id);
        await this.openToAll(tx, before, 'access_as_external', change.external);
      }
      if (qosPolicyId !== undefined) await this.qos.attach(tx, 'network', id, qosPolicyId);
      const network = await this.networks.update(tx, id, columns, now);
      if (!network) throw networkNotFound(id);
      if (shared === false) await this.refuseStrangers(tx, network);
      if (change.mtu !== undefined) await this.refuseSmall(tx, network);
      await markDirty(tx, 'network', [id], now);
      await markSelected(tx, 'router', ROUTERS_ON_NETWORK, [id], now);
      if (
        change.adminStateUp !== undefined ||
        qosPolicyId !== undefined ||
        change.mtu !== undefined ||
        change.dnsDomain !== undefined
      )
        await markPortsOf(tx, id, now);
      if (change.mtu !== undefined) await markDirty(tx, 'subnet', network.subnetIds, now);
      await record(tx, [{ resourceId: id, what: 'network updated' }], now);
      return network;
    });
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        await expectRevision(tx, 'network', id, revision);
        const network = await this.networks.find(tx, id);
        if (!network) throw networkNotFound(id);
        await this.dropFloatingIps(tx, id, now);
        await this.dropLeavingPorts(tx, id, now);
        const subnets = await this.networks.delete(tx, id);
        await this.sharing.forget(tx, id);
        await markDirty(tx, 'network', [id], now);
        await markDirty(
          tx,
          'subnet',
          subnets.map((subnet) => subnet.id),
          now,
        );
        await record(
          tx,
          [{ resourceId: id, what: 'network deleted', related: subnets.map((subnet) => subnet.id) }],
          now,
        );
        await this.quotas.release(tx, 'network', [network.projectId]);
        await this.quotas.release(
          tx,
          'subnet',
          subnets.map((subnet) => subnet.projectId),
        );
      });
    } catch (error) {
      throw isNetworkStillUsed(error) ? networkInUse(id) : error;
    }
  }

  /** Throws `NetworkInUse` while other ports are there than those that leave with their network. */
  private async dropLeavingPorts(tx: Tx, id: string, now: Date): Promise<void> {
    const users = await this.networks.usersOf(tx, id);
    if (users.length > 0) throw networkInUse(id, users);
    const leaving = await this.networks.leavingPorts(tx, id);
    await this.followers.going(tx, leaving, now);
    const gone = await this.ports.delete(tx, leaving);
    await markDirty(tx, 'port', leaving, now);
    const owners = gone.map((port) => port.projectId);
    await this.quotas.release(tx, 'port', owners);
  }

  /** Throws where a project has a port or a subnet on the network with which it is no longer shared. */
  private async refuseStrangers(tx: Tx, { id, projectId, name }: Network): Promise<void> {
    const stranger = await tx.one(
      `select 1 from (select p.project_id from port p where p.network_id = $1 and p.device_owner not like 'network:%'
           union all select s.project_id from subnet s where s.network_id = $1) u
       where u.project_id not in ($2, '') and not exists (
         select 1 from rbac_policy r where r.object_id = $1 and r.action = 'access_as_shared' and r.target in (u.project_id, '*'))
       limit 1`,
      [id, projectId],
    );
    if (stranger) throw sharedNetworkInUse(name || id);
  }

  /** Throws where routers have their way out through the network, or floating IPs come from it. */
  private async refuseGateways(tx: Tx, id: string): Promise<void> {
    const gateway = await tx.one(
      `select 1 from port where network_id = $1 and device_owner in ('network:router_gateway', 'network:floatingip') limit 1`,
      [id],
    );
    if (gateway) throw externalNetworkInUse(id);
  }

  /** Throws where a subnet needs a larger MTU than the network has now. */
  private async refuseSmall(tx: Tx, network: Network): Promise<void> {
    const six = await tx.one('select 1 from subnet where network_id = $1 and version = 6 limit 1', [network.id]);
    if (six) checkCarries(network, 6);
  }

  /** Floating IPs that stand for nothing go with their network. */
  private async dropFloatingIps(tx: Tx, id: string, now: Date): Promise<void> {
    const gone = await this.floatingIps.deleteFreeOn(tx, id);
    const ports = gone.map((floating) => floating.ownPortId);
    if (ports.length > 0) await tx.exec('delete from port where id = any($1::uuid[])', [ports]);
    const related = [id];
    const events = gone.map((floating) => ({ resourceId: floating.id, what: 'floating IP deleted', related }));
    await record(tx, events, now);
    const owners = gone.map((floating) => floating.projectId);
    await this.quotas.release(tx, 'floatingip', owners);
  }

  private async insert(tx: Tx, { shared, qosPolicyId, ...draft }: NetworkDraft, now: Date): Promise<Network> {
    const made = await this.networks.insert(tx, draft, now);
    if (qosPolicyId !== null) await this.qos.attach(tx, 'network', made.id, qosPolicyId);
    const policy = qosPolicyId ?? (await this.qos.attachDefault(tx, made.id, made.projectId));
    if (shared) await this.openToAll(tx, made, 'access_as_shared', true);
    if (draft.external) await this.openToAll(tx, made, 'access_as_external', true);
    const everyone = (is: boolean) => (is ? [EVERYONE] : []);
    return { ...made, qosPolicyId: policy, sharedWith: everyone(shared), externalTo: everyone(draft.external) };
  }

  private openToAll(tx: Tx, { id, projectId }: Network, action: RbacAction, open: boolean): Promise<void> {
    return this.sharing.openToAll(tx, { type: 'network', id, projectId }, action, open);
  }
}

const secondDefaultNetwork = (): Error =>
  fail.conflict('A default external network already exists.', { type: 'DefaultExternalNetworkExists' });

/** Which of several drafts it was is not told by the database; the client sees what it asked for. */
function segmentTaken(drafts: readonly NewNetwork[]): Error {
  const flat = drafts.find((draft) => draft.networkType === 'flat');
  if (flat) {
    const message = `Unable to create the flat network. Physical network ${flat.physicalNetwork} is in use.`;
    return fail.conflict(message, { type: 'FlatNetworkInUse' });
  }
  const ids = drafts.map((draft) => draft.segmentationId).filter((id) => id !== undefined);
  const vlan = drafts.find((draft) => draft.networkType === 'vlan');
  if (vlan) {
    const message = `Unable to create the network. The VLAN ${ids.join(', ')} on physical network ${vlan.physicalNetwork} is in use.`;
    return fail.conflict(message, { type: 'VlanIdInUse' });
  }
  return fail.conflict(`Unable to create the network. The tunnel ID ${ids.join(', ')} is in use.`, {
    type: 'TunnelIdInUse',
  });
}
