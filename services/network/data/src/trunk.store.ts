/** What clients do with trunks, each as one transaction with the ports that it is about, under their locks. */
import type { Db, Tx } from '#libs/platform/db';
import {
  duplicateSubport,
  fitParent,
  fitSubports,
  portNotFound,
  type Subport,
  type SubportWish,
  subportNotFound,
  type Trunk,
  type TrunkGround,
  trunkDisabled,
  trunkNotFound,
} from '#services/network/domain';
import { markDirty, record } from './journal.js';
import type { NetworkRepo } from './network.repo.js';
import type { PortRepo } from './port.repo.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import { isVlanTaken, type NewTrunk, type TrunkChange, type TrunkRepo } from './trunk.repo.js';

export class TrunkStore {
  constructor(
    private readonly db: Db,
    private readonly trunks: TrunkRepo,
    private readonly ports: PortRepo,
    private readonly networks: NetworkRepo,
    private readonly quotas: QuotaRepo,
  ) {}

  async create(draft: NewTrunk, wishes: readonly SubportWish[], now: Date): Promise<Trunk> {
    return this.telling(draft.id, async (tx) => {
      const ground = await this.ground(tx, draft.portId, wishes);
      const parent = fitParent(draft.portId, ground);
      const subports = fitSubports(wishes, parent, ground);
      await this.trunks.insert(tx, draft, now);
      await this.join(tx, draft.id, subports, parent.host, now);
      await record(tx, [{ resourceId: draft.id, what: 'trunk created', related: [draft.portId] }], now);
      await this.quotas.take(tx, draft.projectId, 'trunk', 1);
      return this.found(tx, draft.id);
    });
  }

  async update(id: string, change: TrunkChange, now: Date, revision?: number): Promise<Trunk> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'trunk', id, revision);
      if (!(await this.trunks.update(tx, id, change, now))) throw trunkNotFound(id);
      await record(tx, [{ resourceId: id, what: 'trunk updated' }], now);
      return this.found(tx, id);
    });
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    await this.db.tx(async (tx) => {
      await expectRevision(tx, 'trunk', id, revision);
      const trunk = await this.manageable(tx, id);
      await this.leave(tx, trunk, now);
      await this.trunks.delete(tx, id);
      await record(tx, [{ resourceId: id, what: 'trunk deleted', related: [trunk.portId] }], now);
      await this.quotas.release(tx, 'trunk', [trunk.projectId]);
    });
  }

  async addSubports(id: string, wishes: readonly SubportWish[], now: Date, revision?: number): Promise<Trunk> {
    return this.telling(id, async (tx) => {
      await expectRevision(tx, 'trunk', id, revision);
      const trunk = await this.manageable(tx, id);
      const ground = await this.ground(tx, trunk.portId, wishes);
      const parent = ground.ports.get(trunk.portId);
      if (!parent) throw portNotFound(trunk.portId);
      await this.join(tx, id, fitSubports(wishes, parent, ground), parent.host, now);
      return this.changed(tx, id, 'subports added', now);
    });
  }

  /** Takes all of the named from the trunk, or none. */
  async removeSubports(id: string, portIds: readonly string[], now: Date, revision?: number): Promise<Trunk> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'trunk', id, revision);
      const trunk = await this.manageable(tx, id);
      const missing = portIds.find((portId) => !trunk.subports.some((known) => known.portId === portId));
      if (missing !== undefined) throw subportNotFound(id, missing);
      await this.leave(
        tx,
        { ...trunk, subports: trunk.subports.filter(({ portId }) => portIds.includes(portId)) },
        now,
      );
      return this.changed(tx, id, 'subports removed', now);
    });
  }

  /** The ports under lock, and their networks. */
  private async ground(tx: Tx, parentId: string, wishes: readonly SubportWish[]): Promise<TrunkGround> {
    const subportIds = wishes.map(({ portId }) => portId);
    await this.trunks.lockPorts(tx, parentId, subportIds);
    const ports = await this.ports.findMany(tx, [parentId, ...subportIds]);
    const networks = await this.networks.findMany(tx, [...new Set(ports.map((port) => port.networkId))]);
    const byId = <T extends { readonly id: string }>(rows: readonly T[]) => new Map(rows.map((row) => [row.id, row]));
    return { ports: byId(ports), networks: byId(networks) };
  }

  private async join(tx: Tx, id: string, subports: readonly Subport[], host: string, now: Date): Promise<void> {
    if (subports.length === 0) return;
    await this.trunks.join(tx, id, subports, host, now);
    await markDirty(
      tx,
      'port',
      subports.map(({ portId }) => portId),
      now,
    );
  }

  private async leave(tx: Tx, { id, portId, subports }: Trunk, now: Date): Promise<void> {
    const ids = subports.map((subport) => subport.portId);
    await this.trunks.lockPorts(tx, portId, ids);
    await markDirty(tx, 'port', await this.trunks.leave(tx, id, ids, now), now);
  }

  private async changed(tx: Tx, id: string, what: string, now: Date): Promise<Trunk> {
    await this.trunks.update(tx, id, {}, now);
    const trunk = await this.found(tx, id);
    const detail = trunk.subports.map(({ vlan, portId }) => `${vlan}: ${portId}`).join(', ');
    await record(tx, [{ resourceId: id, what, detail, related: [trunk.portId] }], now);
    return trunk;
  }

  private async manageable(tx: Tx, id: string): Promise<Trunk> {
    const trunk = await this.trunks.lock(tx, id);
    if (!trunk) throw trunkNotFound(id);
    if (!trunk.adminStateUp) throw trunkDisabled(id);
    return trunk;
  }

  private async found(tx: Tx, id: string): Promise<Trunk> {
    const trunk = await this.trunks.find(tx, id);
    if (!trunk) throw trunkNotFound(id);
    return trunk;
  }

  private async telling<T>(id: string, body: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await this.db.tx(body);
    } catch (error) {
      throw isVlanTaken(error) ? duplicateSubport(id) : error;
    }
  }
}
