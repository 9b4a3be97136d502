/** What clients do with networks, each as one transaction with its quota, its marks and its events. */
import { fail } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { type Network, networkInUse, networkNotFound } from '#services/network/domain';
import { markDirty, markPortsOf, record } from './journal.js';
import {
  isNetworkStillUsed,
  isSegmentTaken,
  type NetworkChange,
  type NetworkRepo,
  type NewNetwork,
} from './network.repo.js';
import type { QuotaRepo } from './quota.repo.js';

export class NetworkStore {
  constructor(
    private readonly db: Db,
    private readonly networks: NetworkRepo,
    private readonly quotas: QuotaRepo,
  ) {}

  /** All of them or none. */
  async create(drafts: readonly NewNetwork[], now: Date): Promise<Network[]> {
    try {
      return await this.createAll(drafts, now);
    } catch (error) {
      throw isSegmentTaken(error) ? segmentTaken(drafts) : error;
    }
  }

  private createAll(drafts: readonly NewNetwork[], now: Date): Promise<Network[]> {
    return this.db.tx(async (tx) => {
      const made: Network[] = [];
      for (const draft of drafts) made.push(await this.networks.insert(tx, draft, now));
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

  update(id: string, change: NetworkChange, now: Date): Promise<Network> {
    return this.db.tx(async (tx) => {
      const network = await this.networks.update(tx, id, change, now);
      if (!network) throw networkNotFound(id);
      if (change.shared === false && (await this.networks.hasForeignPorts(tx, id, network.projectId)))
        throw networkInUse(id);
      await markDirty(tx, 'network', [id], now);
      if (change.adminStateUp !== undefined) await markPortsOf(tx, id, now);
      if (change.mtu !== undefined) await markDirty(tx, 'subnet', network.subnetIds, now);
      await record(tx, [{ resourceId: id, what: 'network updated' }], now);
      return network;
    });
  }

  async delete(id: string, now: Date): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        const network = await this.networks.find(tx, id);
        if (!network) throw networkNotFound(id);
        const subnets = await this.networks.delete(tx, id);
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
}

const segmentTaken = (drafts: readonly NewNetwork[]): Error => {
  const ids = drafts.map((draft) => draft.segmentationId).filter((id) => id !== undefined);
  return fail.conflict(`Unable to create the network. The tunnel ID ${ids.join(', ')} is in use.`, {
    type: 'TunnelIdInUse',
  });
};
