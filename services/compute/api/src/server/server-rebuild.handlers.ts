/** Rebuilds: everything is asked first, then one transaction changes the row and inserts the task. */
import { Injectable } from '@nestjs/common';
import { fail, isFailure } from '#libs/kernel';
import { insertTask } from '#libs/platform/flow';
import type { ServerPatch } from '#services/compute/data';
import {
  type DeviceKind,
  type ImageFacts,
  imageSnapshotOf,
  type Keypair,
  type RebuildOrder,
  rebuildInput,
  rebuildTrouble,
  renewalsOf,
  SERVER_REBUILD,
  type Server,
} from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { type Asker, refuseLocked, ServerHandlers } from './server.handlers.js';

@Injectable()
export class ServerRebuildHandlers {
  constructor(
    readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly peers: Peers,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** Returns the server as it stands then, its rebuild under way. */
  async rebuild(server: Server, order: RebuildOrder, asker: Asker): Promise<Server> {
    refuseLocked(server, asker);
    const { db, servers, keypairs, quotas } = this.books;
    const [image, keypair, limits] = await Promise.all([
      this.#image(order.imageId, asker),
      order.keyName ? keypairs.find(db, asker.who.userId, order.keyName) : undefined,
      quotas.limits(db, server.projectId),
    ]);
    const trouble = rebuildTrouble(server, order, { image, keypair, limits: limits.project });
    if (trouble) throw trouble;
    const now = this.around.clock.now();
    await db.tx(async (tx) => {
      const before = await servers.lock(tx, server.id);
      const moved = before?.host
        ? await servers.move(tx, server.id, 'rebuild', now, changes(order, image, keypair))
        : undefined;
      if (!before || !moved) throw await this.servers.wrongState(server, 'rebuild');
      const devices = await servers.devices.of(tx, server.id);
      const isRenewed = (kind: DeviceKind): boolean => kind !== 'ephemeral' || !order.preserveEphemeral;
      const renewals = renewalsOf(devices, isRenewed, () => this.around.ids.uuid());
      const input = rebuildInput(before, image, moved.generation, renewals);
      await insertTask(tx, { ...this.servers.task(server, asker), kind: SERVER_REBUILD, input });
    });
    return (await servers.find(db, server.id)) ?? server;
  }

  /** Base64, for the owner. */
  async userDataOf(server: Server): Promise<string | null> {
    return (await this.books.servers.userData(this.books.db, [server.id])).get(server.id) ?? null;
  }

  async #image(imageId: string, { who, isAdmin }: Asker): Promise<ImageFacts> {
    try {
      const image = await this.peers.image.describe({ imageId, projectId: who.projectId ?? '', allProjects: isAdmin });
      return { ...image, minMemoryMb: image.minRamMb };
    } catch (error) {
      if (isFailure(error, 'notFound')) throw fail.invalid('Cannot find image for rebuild', { cause: error });
      throw error;
    }
  }
}

/** What the row says from now on. A name that is given does not change the host name. */
function changes(order: RebuildOrder, image: ImageFacts, keypair: Keypair | undefined): ServerPatch {
  const { imageId, adminPass, files, userData, keyName, preserveEphemeral: _, ...fields } = order;
  const key = { keyName, keyType: keypair?.type ?? null, keyData: keypair?.publicKey ?? null };
  return {
    ...fields,
    imageId,
    image: imageSnapshotOf(image),
    ...(keyName === undefined ? {} : (key as { keyName: string | null })),
    secrets: { adminPass, files, ...(userData === undefined ? {} : { userData }) },
  };
}
