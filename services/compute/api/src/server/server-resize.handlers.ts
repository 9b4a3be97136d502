/** Resizing on the node where the server is, and the owner's decision about it. */
import { Injectable } from '@nestjs/common';
import { fail, isFailure } from '#libs/kernel';
import { insertTask } from '#libs/platform/flow';
import type { EffectiveLimits } from '#services/compute/data';
import {
  demandOf,
  hasEncryptedDisk,
  type ImageFacts,
  quotaRefusal,
  resizedDevices,
  resizeOf,
  resizeTrouble,
  SERVER_CONFIRM_RESIZE,
  SERVER_RESIZE,
  SERVER_REVERT_RESIZE,
  type Server,
} from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { type Asker, refuseLocked, ServerHandlers } from './server.handlers.js';

type Tx = Parameters<Books['servers']['lock']>[0];
type Counts = Awaited<ReturnType<Books['servers']['counts']>>;

const DECISIONS = { confirmResize: SERVER_CONFIRM_RESIZE, revertResize: SERVER_REVERT_RESIZE } as const;

export interface ResizeOrder {
  readonly flavorId: string;
  readonly diskConfig?: 'AUTO' | 'MANUAL';
}

@Injectable()
export class ServerResizeHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly peers: Peers,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  async resize(server: Server, { flavorId, ...changed }: ResizeOrder, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const { db, servers, flavors, quotas } = this.books;
    const [flavor, image, limits, devices] = await Promise.all([
      flavors.find(db, flavorId, asker.isAdmin ? undefined : asker.who.projectId),
      this.#image(server),
      quotas.limits(db, server.projectId, server.userId),
      servers.devices.of(db, server.id),
    ]);
    const trouble = resizeTrouble(server, flavorId, flavor, image, devices);
    if (trouble || !flavor) throw trouble ?? fail.invalid(`Flavor ${flavorId} could not be found.`);
    const now = this.around.clock.now();
    await db.tx(async (tx) => {
      const before = await servers.lock(tx, server.id);
      const resize = before && resizeOf(before, flavor);
      const counted = await servers.counts(tx, server.id);
      const moved = before?.host && (await servers.move(tx, server.id, 'resize', now, { ...changed, resize }));
      if (!resize || !moved) throw await this.servers.wrongState(server, 'resize');
      await this.#takeQuota(tx, before, counted, limits);
      const wanted = resizedDevices(devices, resize.from, resize.to, hasEncryptedDisk(before), () =>
        this.around.ids.uuid(),
      );
      await servers.devices.plan(tx, server.id, wanted);
      const demand = demandOf(resize.to, image ?? before.image ?? { properties: {} });
      const input = { serverId: server.id, generation: moved.generation, resize, ...demand };
      await insertTask(tx, { ...this.servers.task(server, asker), kind: SERVER_RESIZE, input });
    });
  }

  async decide(server: Server, decision: keyof typeof DECISIONS, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const { db, servers } = this.books;
    await db.tx(async (tx) => {
      const resize = (await servers.lock(tx, server.id))?.resize;
      const moved = await servers.move(tx, server.id, decision, this.around.clock.now());
      if (!moved) throw await this.servers.wrongState(server, decision);
      if (!resize) throw fail.invalid('Instance has not been resized.');
      const input = { serverId: server.id, generation: moved.generation, resize };
      await insertTask(tx, { ...this.servers.task(server, asker), kind: DECISIONS[decision], input });
    });
  }

  /** What the server counts for now beyond what it did; what does not grow is not asked about. */
  async #takeQuota(tx: Tx, { id, projectId, userId }: Server, before: Counts, limits: EffectiveLimits): Promise<void> {
    const { servers, quotas } = this.books;
    const now = await servers.counts(tx, id);
    const [cores, ram] = [now.cores - before.cores, now.ram - before.ram];
    const asked = <L extends EffectiveLimits['project']>(all: L): L => ({
      ...all,
      instances: -1,
      ...(cores > 0 ? {} : { cores: -1 }),
      ...(ram > 0 ? {} : { ram: -1 }),
    });
    const project = asked(limits.project);
    const user = limits.user && asked(limits.user);
    const wanted = { instances: 0, cores, ram };
    if (await quotas.take(tx, projectId, userId, wanted, { project, user })) return;
    throw fail.overQuota(quotaRefusal(project, await quotas.usage(tx, projectId), wanted));
  }

  /** As it is now; undefined where it is gone, and then nothing is asked of it. */
  async #image({ imageId, projectId }: Server): Promise<ImageFacts | undefined> {
    if (imageId === null) return undefined;
    try {
      const image = await this.peers.image.describe({ imageId, projectId, allProjects: true });
      return { ...image, minMemoryMb: image.minRamMb };
    } catch (error) {
      if (isFailure(error, 'notFound')) return undefined;
      throw error;
    }
  }
}
