/** Putting servers on the shelf and taking them off it. */
import { Injectable } from '@nestjs/common';
import { insertTask } from '#libs/platform/flow';
import {
  placeFor,
  renewalsOf,
  SERVER_SHELVE,
  SERVER_SHELVE_OFFLOAD,
  SERVER_UNSHELVE,
  type Server,
  type ServerUnshelveInput,
  shelfOf,
  type UnshelveWish,
  unshelveTrouble,
  zonePinnedBy,
} from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import { type Asker, refuseLocked, type ServerHandlers } from './server.handlers.js';
import { ServerImageHandlers } from './server-image.handlers.js';

@Injectable()
export class ServerShelveHandlers {
  constructor(
    private readonly images: ServerImageHandlers,
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.images.find(...args);
  }

  async shelve(server: Server, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const wish = { name: `${server.name}-shelved`.slice(0, 255), metadata: {}, type: 'snapshot' } as const;
    await this.images.begin(SERVER_SHELVE, server, wish, asker);
  }

  async offload(server: Server, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const { db, servers } = this.books;
    await db.tx(async (tx) => {
      if (!(await servers.move(tx, server.id, 'shelveOffload', this.around.clock.now())))
        throw await this.images.servers.wrongState(server, 'shelveOffload');
      const input = { serverId: server.id };
      await insertTask(tx, { ...this.images.servers.task(server, asker), kind: SERVER_SHELVE_OFFLOAD, input });
    });
  }

  async unshelve(server: Server, wish: UnshelveWish, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const { db, servers, nodes } = this.books;
    const facts = { nodes: Object.keys(wish).length ? await nodes.list(db) : [] };
    const pinnedZone = zonePinnedBy(server, wish);
    await db.tx(async (tx) => {
      const before = await servers.lock(tx, server.id);
      const trouble = before && isOnShelf(before) ? unshelveTrouble(before, wish, facts) : undefined;
      if (trouble) throw trouble;
      const shelf = before && shelfOf(before);
      const moved = shelf
        ? await servers.move(tx, server.id, 'unshelve', this.around.clock.now(), { pinnedZone })
        : undefined;
      if (!before || !shelf || !moved) throw await this.images.servers.wrongState(server, 'unshelve');
      const place = before.vmState === 'shelved_offloaded' ? placeFor(before, wish) : null;
      const devices = await servers.devices.of(tx, server.id);
      const input: ServerUnshelveInput = {
        serverId: server.id,
        imageId: shelf.imageId,
        place,
        renewals: renewalsOf(
          devices,
          (kind) => place !== null || kind === 'root',
          () => this.around.ids.uuid(),
        ),
        discardTaskId: this.around.ids.uuid(),
      };
      await insertTask(tx, { ...this.images.servers.task(server, asker), kind: SERVER_UNSHELVE, input });
    });
  }
}

const isOnShelf = ({ vmState }: Server): boolean => vmState === 'shelved' || vmState === 'shelved_offloaded';
