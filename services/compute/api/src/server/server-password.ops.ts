/** The password that a guest posted, encrypted for its owner: shown as it came, and cleared so that it can post another. */
import { Injectable } from '@nestjs/common';
import { type Op, op } from '#libs/platform/http';
import type { Server } from '#services/compute/domain';
import { Books } from '../books.js';
import { member, reader } from '../compute.rules.js';
import { ServerHandlers } from './server.handlers.js';
import { loadServer } from './server-target.js';

@Injectable()
export class ServerPasswordHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  show({ id }: Server): Promise<string> {
    return this.books.passwords.find(this.books.db, id);
  }

  async clear({ id }: Server): Promise<void> {
    const { db, passwords, aims } = this.books;
    await db.tx(async (tx) => {
      if (await passwords.clear(tx, id)) await aims.renew(tx, [id]);
    });
  }
}

const path = '/v2.1/servers/:id/os-server-password';

export const serverPasswordOps: readonly Op[] = [
  op(ServerPasswordHandlers, {
    method: 'GET',
    path,
    rule: reader('os-server-password:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, _call, server) => ({ body: { password: await handlers.show(server) } }),
  }),
  op(ServerPasswordHandlers, {
    method: 'DELETE',
    path,
    rule: member('os-server-password:clear'),
    status: 204,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, _call, server) => {
      await handlers.clear(server);
      return {};
    },
  }),
];
