/** What clients do with subnet pools, each as one transaction, and what new subnets get from them. */
import type { Db, Tx } from '#libs/platform/db';
import {
  checkPoolQuota,
  type PoolWish,
  poolInUse,
  poolNotFound,
  prefixFrom,
  type SubnetPool,
  scopeConflict,
  scopeNotFound,
  secondDefaultPool,
  withOnboarded,
} from '#services/network/domain';
import { markSelected, record } from './journal.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import { ROUTERS_IN_POOL } from './router.repo.js';
import type { Sharing } from './sharing.js';
import {
  isPoolUsed,
  isScopeConflict,
  isScopeGone,
  isSecondDefaultPool,
  type NewSubnetPool,
  type SubnetPoolChange,
  type SubnetPoolRepo,
} from './subnet-pool.repo.js';

export interface Allotment {
  readonly poolId: string;
  readonly projectId: string;
  readonly wish: PoolWish;
}

export interface OnboardedSubnet {
  readonly id: string;
  readonly cidr: string;
}

export class SubnetPoolStore {
  constructor(
    private readonly db: Db,
    private readonly pools: SubnetPoolRepo,
    private readonly sharing: Sharing,
    private readonly quotas: QuotaRepo,
  ) {}

  create(pool: NewSubnetPool, shared: boolean, now: Date): Promise<SubnetPool> {
    return this.told(pool.scopeId, async () =>
      this.db.tx(async (tx) => {
        await this.pools.insert(tx, pool, now);
        if (shared) await this.sharing.openToAll(tx, { ...pool, type: 'subnetpool' }, 'access_as_shared', true);
        await record(tx, [{ resourceId: pool.id, what: 'subnet pool created' }], now);
        await this.quotas.take(tx, pool.projectId, 'subnetpool', 1);
        return (await this.pools.find(tx, pool.id))!;
      }),
    );
  }

  /** `decide` sees the pool as it is under lock with what is taken of it, and says what to change. */
  update(
    id: string,
    decide: (pool: SubnetPool, taken: readonly string[]) => SubnetPoolChange,
    now: Date,
    revision?: number,
  ): Promise<SubnetPool> {
    let scope: string | null = null;
    return this.told(
      () => scope,
      () =>
        this.db.tx(async (tx) => {
          await expectRevision(tx, 'subnetpool', id, revision);
          const before = await this.pools.lock(tx, id);
          if (!before) throw poolNotFound(id);
          const taken = await this.pools.taken(tx, id);
          const change = decide(
            before,
            taken.map(({ cidr }) => cidr),
          );
          scope = change.scopeId ?? before.scopeId;
          await this.pools.update(tx, before, change, now);
          if (change.scopeId !== undefined) await markSelected(tx, 'router', ROUTERS_IN_POOL, [id], now);
          await record(tx, [{ resourceId: id, what: 'subnet pool updated' }], now);
          return (await this.pools.find(tx, id))!;
        }),
    );
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        await expectRevision(tx, 'subnetpool', id, revision);
        const gone = await this.pools.delete(tx, id);
        if (!gone) throw poolNotFound(id);
        await this.sharing.forget(tx, id);
        await record(tx, [{ resourceId: id, what: 'subnet pool deleted' }], now);
        await this.quotas.release(tx, 'subnetpool', [gone.projectId]);
      });
    } catch (error) {
      throw isPoolUsed(error) ? poolInUse() : error;
    }
  }

  /**
   * Makes the subnets of a network (those of the pool's version) the pool's, whose prefixes grow by theirs. What a project
   * may have of the pool is not asked: nothing is given out.
   */
  onboard(poolId: string, networkId: string, now: Date): Promise<OnboardedSubnet[]> {
    let scope: string | null = null;
    return this.told(
      () => scope,
      () =>
        this.db.tx(async (tx) => {
          const pool = await this.pools.lock(tx, poolId);
          if (!pool) throw poolNotFound(poolId);
          scope = pool.scopeId;
          const subnets = await this.pools.lockSubnetsOn(tx, networkId, pool.version);
          if (subnets.length === 0) return [];
          const taken = (await this.pools.taken(tx, poolId)).map(({ cidr }) => cidr);
          await this.pools.update(tx, pool, { prefixes: withOnboarded(pool, subnets, taken) }, now);
          const ids = subnets.map((subnet) => subnet.id);
          await this.pools.takeIn(tx, poolId, ids, now);
          await markSelected(tx, 'router', ROUTERS_IN_POOL, [poolId], now);
          const related = [networkId, ...ids];
          await record(tx, [{ resourceId: poolId, what: 'subnets onboarded', related }], now);
          return subnets;
        }),
    );
  }

  /** The prefix that a new subnet gets. Within the subnet's own transaction, which holds the pool's lock to its end. */
  async allot(tx: Tx, { poolId, projectId, wish }: Allotment): Promise<string> {
    const pool = await this.pools.lock(tx, poolId);
    if (!pool) throw poolNotFound(poolId);
    const taken = await this.pools.taken(tx, poolId);
    const cidr = prefixFrom(
      pool,
      wish,
      taken.map((one) => one.cidr),
    );
    const own = taken.filter((one) => one.projectId === projectId).map((one) => one.cidr);
    checkPoolQuota(pool, own, cidr);
    return cidr;
  }

  /** Runs a write and words what the database refused. */
  private async told<T>(scope: string | null | (() => string | null), work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isSecondDefaultPool(error)) throw secondDefaultPool();
      if (isScopeConflict(error)) throw scopeConflict();
      if (isScopeGone(error)) throw scopeNotFound((typeof scope === 'function' ? scope() : scope) ?? '');
      throw error;
    }
  }
}
