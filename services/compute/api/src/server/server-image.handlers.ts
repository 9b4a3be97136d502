/**
 * Servers as images. The task is inserted first, and the image registered after that, so that its owner sees it at once:
 * whatever happens in between, the task registers it, or clears it away.
 */
import { Injectable } from '@nestjs/common';
import { fail, isFailure } from '#libs/kernel';
import { insertTask } from '#libs/platform/flow';
import {
  fits,
  hasEncryptedDisk,
  type ImageDraft,
  imageOf,
  SERVER_CREATE_BACKUP,
  SERVER_CREATE_IMAGE,
  SERVER_SHELVE,
  type Server,
  SNAPSHOT_FORMAT,
} from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { type Asker, ServerHandlers } from './server.handlers.js';

export interface ImageAsked {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface BackupAsked extends ImageAsked {
  readonly backupType: string;
  readonly rotation: number;
}

const MOVES = {
  [SERVER_CREATE_IMAGE]: 'createImage',
  [SERVER_CREATE_BACKUP]: 'createBackup',
  [SERVER_SHELVE]: 'shelve',
} as const;
type Kind = keyof typeof MOVES;

@Injectable()
export class ServerImageHandlers {
  constructor(
    readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly peers: Peers,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** Throws where the project may not give an image so many properties; newer versions leave that to the image service. */
  async checkCount(server: Server, { metadata }: ImageAsked): Promise<void> {
    const { project } = await this.books.quotas.limits(this.books.db, server.projectId);
    if (!fits(project.metadata_items, Object.keys(metadata).length))
      throw fail.forbidden('Image metadata limit exceeded');
  }

  /** Returns the image's id. */
  createImage(server: Server, asked: ImageAsked, asker: Asker): Promise<string> {
    return this.begin(SERVER_CREATE_IMAGE, server, { ...asked, type: 'snapshot' }, asker);
  }

  createBackup(server: Server, { backupType, rotation, ...asked }: BackupAsked, asker: Asker): Promise<string> {
    const wish = { ...asked, type: 'backup', backupType } as const;
    return this.begin(SERVER_CREATE_BACKUP, server, wish, asker, { backupType, rotation });
  }

  /** Makes the move and inserts the task of that kind. */
  async begin(
    kind: Kind,
    server: Server,
    wish: ImageAsked & { readonly type: 'snapshot' | 'backup'; readonly backupType?: string },
    asker: Asker,
    more: object = {},
  ): Promise<string> {
    if (hasEncryptedDisk(server))
      throw fail.invalid(`The disk of server ${server.id} is encrypted; it can not be made into an image.`);
    const { db, servers } = this.books;
    const minRamMb = await this.#minRamOf(server);
    const imageId = this.around.ids.uuid();
    const image = await db.tx(async (tx) => {
      const before = await servers.lock(tx, server.id);
      const moved = before?.host ? await servers.move(tx, server.id, MOVES[kind], this.around.clock.now()) : undefined;
      if (!before || !moved) throw await this.servers.wrongState(server, MOVES[kind]);
      const draft = imageOf(before, { ...wish, imageId, userId: asker.who.userId, minRamMb });
      const input = { serverId: server.id, image: draft, ...more };
      await insertTask(tx, { ...this.servers.task(server, asker), kind, input });
      return draft;
    });
    await this.#register(image);
    return imageId;
  }

  /** An image service that is away, or a task that was faster and has given up, is no failure of the request. */
  async #register({ properties, ...draft }: ImageDraft): Promise<void> {
    try {
      await this.peers.image.register({ ...draft, diskFormat: SNAPSHOT_FORMAT, properties: { ...properties } });
    } catch (error) {
      if (!isFailure(error, 'unavailable') && !isFailure(error, 'gone')) throw error;
    }
  }

  async #minRamOf({ imageId }: Server): Promise<number> {
    if (imageId === null) return 0;
    try {
      return (await this.peers.image.describe({ imageId, projectId: '', allProjects: true })).minRamMb;
    } catch (error) {
      if (isFailure(error, 'notFound')) return 0;
      throw error;
    }
  }
}
