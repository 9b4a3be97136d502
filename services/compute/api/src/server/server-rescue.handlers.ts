/** Rescue and back. */
import { Injectable } from '@nestjs/common';
import { fail, isFailure } from '#libs/kernel';
import { insertTask } from '#libs/platform/flow';
import {
  canRescue,
  imageSnapshotOf,
  type RescueDisk,
  SERVER_RESCUE,
  SERVER_UNRESCUE,
  type Server,
} from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { type Asker, refuseLocked, ServerHandlers } from './server.handlers.js';

type RescueImage = Pick<RescueDisk, 'imageId' | 'image'>;

@Injectable()
export class ServerRescueHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly peers: Peers,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** From the image named, or from the server's own. */
  async rescue(server: Server, imageId: string | undefined, adminPass: string, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const source = imageId === undefined ? own(server) : await this.#image(imageId, asker);
    const { db, servers } = this.books;
    const now = this.around.clock.now();
    await db.tx(async (tx) => {
      const secrets = { adminPass };
      const moved = server.host === null ? undefined : await servers.move(tx, server.id, 'rescue', now, { secrets });
      if (!moved) throw await this.servers.wrongState(server, 'rescue');
      const { generation } = moved;
      // A generation is never had twice, so neither is the number of a rescue.
      const rescue: RescueDisk = { ...source, epoch: generation, made: false };
      const input = { serverId: server.id, generation, rescue };
      await insertTask(tx, { ...this.servers.task(server, asker), kind: SERVER_RESCUE, input });
    });
  }

  async unrescue(server: Server, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const { db, servers } = this.books;
    const now = this.around.clock.now();
    await db.tx(async (tx) => {
      const moved = await servers.move(tx, server.id, 'unrescue', now);
      if (!moved) throw await this.servers.wrongState(server, 'unrescue');
      const input = { serverId: server.id, generation: moved.generation };
      await insertTask(tx, { ...this.servers.task(server, asker), kind: SERVER_UNRESCUE, input });
    });
  }

  async #image(imageId: string, { who, isAdmin }: Asker): Promise<RescueImage> {
    try {
      const asked = { imageId, projectId: who.projectId ?? '', allProjects: isAdmin };
      const { minRamMb, ...image } = await this.peers.image.describe(asked);
      if (image.status !== 'active' || !canRescue(image.properties)) throw unsupported(imageId);
      return { imageId, image: imageSnapshotOf({ ...image, minMemoryMb: minRamMb }) };
    } catch (error) {
      if (isFailure(error, 'notFound')) throw unsupported(imageId, error);
      throw error;
    }
  }
}

const unsupported = (image: string, cause?: unknown) =>
  fail.invalid(`Requested rescue image '${image}' is not supported`, { cause });

function own({ id, imageId, image }: Server): RescueImage {
  if (imageId === null || image === null)
    throw fail.invalid(`Instance ${id} cannot be rescued: Cannot rescue a volume-backed instance`);
  if (!canRescue(image.properties)) throw unsupported(imageId);
  return { imageId, image };
}
