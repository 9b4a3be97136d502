/**
 * Ordering servers. Everything that can be asked is asked at once (our own books, the image, the network), the decision is
 * the domain's, and one transaction writes the rows, their quota and their tasks. Nothing waits for a node.
 */
import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { networkV1 } from '#libs/contract';
import { fail, isFailure } from '#libs/kernel';
import type { Tx } from '#libs/platform/db';
import { insertTask } from '#libs/platform/flow';
import type { Credentials } from '#libs/platform/policy';
import type { EffectiveLimits, NewServer } from '#services/compute/data';
import {
  DEFAULT_ZONE,
  headroom,
  type ImageFacts,
  type NicWish,
  type OrderFacts,
  type OrderRights,
  orderTrouble,
  planServers,
  type QuotaLimits,
  quotaRefusal,
  SERVER_CREATE,
  type ServerOrder,
  type ServerPlan,
  type ServerUsage,
  serverKey,
  usageOf,
} from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { ServerHints } from './server-hints.js';

export interface CreateContext {
  readonly who: Credentials & { readonly projectId: string };
  readonly isAdmin: boolean;
  readonly rights: OrderRights;
  readonly requestId: string;
}

export interface Created {
  /** Of the first one. */
  readonly id: string;
  readonly reservationId: string;
  readonly adminPass: string;
  readonly securityGroups: readonly { readonly name: string }[];
}

const SHORTFALL_TRIES = 5;

@Injectable()
export class ServerCreateHandlers {
  constructor(
    private readonly books: Books,
    private readonly peers: Peers,
    private readonly around: Surroundings,
    private readonly hints: ServerHints,
  ) {}

  async create(order: ServerOrder, context: CreateContext): Promise<Created> {
    const { facts, limits } = await this.#facts(order, context);
    const { flavor } = facts;
    const trouble = orderTrouble(order, facts, context.rights);
    if (trouble || !flavor) throw trouble ?? fail.invalid('Invalid flavor.');
    const reservationId = `r-${this.around.ids.hex().slice(0, 8)}`;
    const adminPass = order.adminPass ?? randomBytes(9).toString('base64url');
    const plans = (count: number): ServerPlan[] =>
      planServers(order, { ...facts, flavor }, count, () => this.around.ids.uuid());
    const written = await this.#write(order, context, limits, {
      ...{ flavor, plans, reservationId, adminPass, groupId: facts.group?.id ?? null },
    });
    return { id: written[0]!.server.id, reservationId, adminPass, securityGroups: facts.securityGroups };
  }

  async #facts(order: ServerOrder, context: CreateContext): Promise<{ facts: OrderFacts; limits: EffectiveLimits }> {
    const { db, flavors, keypairs, quotas } = this.books;
    const { who, isAdmin } = context;
    const [flavor, keypair, limits, image, net, hinted] = await Promise.all([
      flavors.find(db, order.flavorId, isAdmin ? undefined : who.projectId),
      order.keyName === null ? undefined : keypairs.find(db, who.userId, order.keyName),
      quotas.limits(db, who.projectId, who.userId),
      this.#image(order.imageId, context),
      this.#networks(order, context),
      this.hints.read(order, { projectId: who.projectId, isAdmin }),
      this.#checkPlace(order),
    ]);
    const facts = { flavor, keypair, image, limits: limits.project, ...net, ...hinted };
    return { facts, limits };
  }

  async #image(id: string, { who, isAdmin }: CreateContext): Promise<ImageFacts> {
    try {
      const image = await this.peers.image.describe({ imageId: id, projectId: who.projectId, allProjects: isAdmin });
      return { ...image, minMemoryMb: image.minRamMb };
    } catch (error) {
      if (isFailure(error, 'notFound')) throw fail.invalid(`Image ${id} could not be found.`, { cause: error });
      throw error;
    }
  }

  /** What network makes of the wishes. Its reasons become a 400, whatever they are called there. */
  async #networks(order: ServerOrder, context: CreateContext): Promise<Pick<OrderFacts, 'nics' | 'securityGroups'>> {
    if (order.networks === 'none') return { nics: [], securityGroups: [] };
    try {
      const reply = await this.peers.network.validate(validation(order, context));
      const names = order.securityGroups.length ? order.securityGroups : ['default'];
      const securityGroups = reply.securityGroupIds.map((id, index) => ({ id, name: names[index] ?? id }));
      return { nics: reply.nics, securityGroups: reply.nics.length ? securityGroups : [] };
    } catch (error) {
      if (order.networks === 'any' && isFailure(error, 'notFound') && !order.securityGroups.length)
        return { nics: [], securityGroups: [] };
      if (isFailure(error, 'forbidden') && error.type === 'ExternalNetworkAttachForbidden')
        throw fail.forbidden(error.message, { cause: error });
      if (isFailure(error) && ['notFound', 'preconditionFailed', 'forbidden'].includes(error.kind))
        throw fail.invalid(error.message, { cause: error });
      throw error;
    }
  }

  async #checkPlace(order: ServerOrder): Promise<void> {
    if (order.onlyHost && !(await this.books.nodes.find(this.books.db, order.onlyHost)))
      throw fail.invalid(`Compute host ${order.onlyHost} could not be found.`);
    if (order.zone === null || order.zone === DEFAULT_ZONE) return;
    const nodes = await this.books.nodes.list(this.books.db);
    if (!nodes.some((node) => node.availabilityZone === order.zone && !node.disabled))
      throw fail.invalid('The requested availability zone is not available');
  }

  /** As many as the quota leaves, down to the least that was asked for. */
  async #write(
    order: ServerOrder,
    context: CreateContext,
    limits: EffectiveLimits,
    what: Writing,
  ): Promise<readonly ServerPlan[]> {
    let count = order.maxCount;
    for (let tries = 1; ; tries += 1) {
      const plans = what.plans(count);
      if (await this.#writeAll(order, context, limits, what, plans)) return plans;
      const shares = await this.#shares(context, limits);
      const roomIn = (share: Share): number => headroom(share.limits, share.used, what.flavor, count);
      const tightest = shares.reduce((a, b) => (roomIn(b) < roomIn(a) ? b : a));
      count = roomIn(tightest);
      if (count < order.minCount || tries >= SHORTFALL_TRIES)
        throw fail.overQuota(quotaRefusal(tightest.limits, tightest.used, usageOf(what.flavor, order.minCount)));
    }
  }

  /** What binds: the project, and the user's part of it where one is set. */
  async #shares({ who }: CreateContext, limits: EffectiveLimits): Promise<Share[]> {
    const { db, quotas } = this.books;
    const project = { limits: limits.project, used: await quotas.usage(db, who.projectId) };
    if (!limits.user) return [project];
    return [project, { limits: limits.user, used: await quotas.usageOfUser(db, who.projectId, who.userId) }];
  }

  async #admit(tx: Tx, who: CreateContext['who'], groupId: string | null, count: number, limits: EffectiveLimits) {
    if (groupId === null || (await this.books.groups.admit(tx, groupId, who.userId, count, limits))) return;
    throw fail.invalid(`Instance group ${groupId} could not be found.`);
  }

  /** One transaction. False: over quota, and nothing was written. */
  async #writeAll(
    order: ServerOrder,
    context: CreateContext,
    limits: EffectiveLimits,
    what: Writing,
    plans: readonly ServerPlan[],
  ): Promise<boolean> {
    const { db, servers, quotas } = this.books;
    const { who, requestId } = context;
    const now = this.around.clock.now();
    try {
      await db.tx(async (tx) => {
        await this.#admit(tx, who, what.groupId, plans.length, limits);
        for (const plan of plans) {
          await servers.insert(tx, rowOf(order, who, plan, what), now);
          const { id } = plan.server;
          const { projectId, userId } = who;
          const task = {
            id: this.around.ids.uuid(),
            kind: SERVER_CREATE,
            key: serverKey(id),
            projectId,
            userId,
            requestId,
          };
          await insertTask(tx, { ...task, input: plan.input });
        }
        const usage = usageOf(what.flavor, plans.length);
        if (!(await quotas.take(tx, who.projectId, who.userId, usage, limits))) throw new OverQuota();
      });
      return true;
    } catch (error) {
      if (error instanceof OverQuota) return false;
      throw error;
    }
  }
}

interface Share {
  readonly limits: QuotaLimits;
  readonly used: ServerUsage;
}

/** Rolls the transaction back. */
class OverQuota extends Error {}

interface Writing {
  readonly flavor: { readonly vcpus: number; readonly memoryMb: number };
  plans(count: number): ServerPlan[];
  readonly reservationId: string;
  readonly adminPass: string;
  readonly groupId: string | null;
}

function validation(order: ServerOrder, { who, isAdmin }: CreateContext): networkV1.ValidateRequest {
  const wishes: readonly NicWish[] = typeof order.networks === 'string' ? [] : order.networks;
  return {
    projectId: who.projectId,
    nics: wishes.map((wish) => ({ ...wish, adopt: wish.portId !== '' })),
    securityGroups: [...order.securityGroups],
    count: order.maxCount,
    auto: typeof order.networks === 'string',
    allocate: order.networks === 'auto',
    isAdmin,
  };
}

function rowOf(order: ServerOrder, who: CreateContext['who'], plan: ServerPlan, what: Writing): NewServer {
  return {
    ...plan.server,
    devices: plan.devices,
    projectId: who.projectId,
    userId: who.userId,
    description: order.description,
    availabilityZone: order.zone,
    pinnedZone: order.zone,
    imageId: order.imageId,
    keyName: order.keyName,
    metadata: order.metadata,
    configDrive: order.configDrive || plan.server.image?.properties['img_config_drive'] === 'mandatory',
    tags: [...order.tags].sort(),
    groupId: what.groupId,
    schedulerHints: order.hints,
    accessIpV4: order.accessIpV4,
    accessIpV6: order.accessIpV6,
    diskConfig: order.diskConfig,
    reservationId: what.reservationId,
    secrets: { userData: order.userData, adminPass: what.adminPass, files: order.files },
  };
}
