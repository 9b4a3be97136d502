/** What clients do with routers, each as one transaction with its gateway, quota, marks and events. */
import type { Db, Tx } from '#libs/platform/db';
import {
  badRouter,
  checkExtraRoutes,
  flavorNotFound,
  type Route,
  type Router,
  routerInUse,
  routerNotFound,
} from '#services/network/domain';
import { isFlavorGone } from './flavor.repo.js';
import { markAndRecord } from './journal.js';
import { draftFailure } from './port.store.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import { isLegOverlap, type NewRouter, type RouterChange, type RouterRepo } from './router.repo.js';
import type { GatewayWish, RouterGateways } from './router-gateway.js';

export interface RouterDraft extends NewRouter {
  readonly gateway: GatewayWish | null;
}

export interface RouterRevision extends RouterChange {
  /** Undefined: as it is. Null: none. */
  readonly gateway?: GatewayWish | null | undefined;
}

export class RouterStore {
  constructor(
    private readonly db: Db,
    private readonly routers: RouterRepo,
    private readonly gateways: RouterGateways,
    private readonly quotas: QuotaRepo,
  ) {}

  /** All of them or none. */
  async create(drafts: readonly RouterDraft[], now: Date): Promise<Router[]> {
    try {
      return await this.failing(drafts[0]?.gateway, () => this.createAll(drafts, now));
    } catch (error) {
      throw isFlavorGone(error) ? flavorNotFound(drafts.find((draft) => draft.flavorId)?.flavorId ?? '') : error;
    }
  }

  private createAll(drafts: readonly RouterDraft[], now: Date): Promise<Router[]> {
    return this.db.tx(async (tx) => {
      const made: Router[] = [];
      for (const draft of drafts) made.push(await this.createOne(tx, draft, now));
      await this.tell(tx, made, 'router created', now);
      const byProject = Map.groupBy(made, (router) => router.projectId);
      for (const [projectId, own] of byProject) await this.quotas.take(tx, projectId, 'router', own.length);
      return made;
    });
  }

  /** `decide` sees the router as it is under lock, and says what to change. */
  update(
    id: string,
    decide: (router: Router) => RouterRevision,
    now: Date,
    revision?: number,
    wish?: GatewayWish | null,
  ): Promise<Router> {
    return this.failing(wish, () =>
      this.db.tx(async (tx) => {
        await expectRevision(tx, 'router', id, revision);
        const before = await this.routers.lock(tx, id);
        if (!before) throw routerNotFound(id);
        const { gateway, ...change } = decide(before);
        if (gateway !== undefined) await this.gateways.set(tx, before, gateway, now);
        if (change.routes !== undefined) await this.checkRoutes(tx, id, change.routes);
        await this.routers.update(tx, id, change, now);
        const after = (await this.routers.find(tx, id))!;
        await this.tell(tx, [after], 'router updated', now);
        return after;
      }),
    );
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    await this.db.tx(async (tx) => {
      await expectRevision(tx, 'router', id, revision);
      const router = await this.routers.lock(tx, id);
      if (!router) throw routerNotFound(id);
      if ((await this.routers.legs(tx, id)).some((leg) => !leg.isGateway)) throw routerInUse(id);
      await this.gateways.set(tx, router, null, now);
      await this.routers.delete(tx, id);
      await this.tell(tx, [router], 'router deleted', now);
      await this.quotas.release(tx, 'router', [router.projectId]);
    });
  }

  private async createOne(tx: Tx, { gateway, ...draft }: RouterDraft, now: Date): Promise<Router> {
    await this.routers.insert(tx, draft, now);
    await this.gateways.set(tx, { id: draft.id, gateway: null }, gateway, now);
    return (await this.routers.find(tx, draft.id))!;
  }

  private async checkRoutes(tx: Tx, id: string, routes: readonly Route[]): Promise<void> {
    checkExtraRoutes(id, routes, await this.routers.legs(tx, id));
  }

  private async tell(tx: Tx, routers: readonly Router[], what: string, now: Date): Promise<void> {
    const events = routers.map((router) => ({
      resourceId: router.id,
      what,
      related: router.gateway ? [router.gateway.portId, router.gateway.networkId] : [],
    }));
    const ids = routers.map((router) => router.id);
    await markAndRecord(tx, 'router', ids, events, now);
  }

  private async failing<T>(wish: GatewayWish | null | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!wish) throw error;
      if (isLegOverlap(error)) throw badRouter('Router already has a port on an overlapping subnet');
      throw draftFailure(error, { networkId: wish.network.id, groupIds: [], qosPolicyId: wish.qosPolicyId });
    }
  }
}
