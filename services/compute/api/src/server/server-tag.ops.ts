/** Tags of a server, from 2.26 on. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { body } from '#libs/wire';
import type { Server } from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import { member, reader } from '../compute.rules.js';
import { Tag } from '../values.wire.js';
import { ServerHandlers, serverNotFound } from './server.handlers.js';
import { loadServer } from './server-target.js';

const MOST = 50;
const SHAPE = /^[^,/]{1,60}$/;

@Injectable()
export class ServerTagHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** Changes the tags under the row's lock; the order is by name. */
  async change(server: Server, to: (tags: readonly string[]) => readonly string[]): Promise<readonly string[]> {
    const { db, servers } = this.books;
    return db.tx(async (tx) => {
      const current = await servers.lock(tx, server.id);
      if (!current) throw serverNotFound(server.id);
      const tags = [...new Set(to(current.tags))].sort();
      if (tags.length > MOST) throw fail.invalid(`The number of tags exceeded the per-server limit ${MOST}`);
      await servers.patch(tx, server.id, { tags }, this.around.clock.now());
      return tags;
    });
  }
}

const tagsBody = body(Type.Object({ tags: Type.Array(Tag, { maxItems: MOST }) }, { additionalProperties: false }));

const path = '/v2.1/servers/:id/tags';
const since = '2.26';
const tagOf = (call: { readonly params: Readonly<Record<string, string>> }): string => {
  const tag = call.params['tag'] ?? '';
  if (!SHAPE.test(tag))
    throw fail.invalid(`Tag '${tag.slice(0, 64)}' is invalid: 1 to 60 characters, no comma, no slash.`);
  return tag;
};
const missing = (server: Server, tag: string) => fail.notFound(`Server ${server.id} has no tag '${tag}'`);

export const serverTagOps: readonly Op[] = [
  op(ServerTagHandlers, {
    method: 'GET',
    path,
    since,
    rule: reader('os-server-tags:index'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, _call, server) => ({ body: { tags: server.tags } }),
  }),
  op(ServerTagHandlers, {
    method: 'PUT',
    path,
    since,
    rule: member('os-server-tags:update_all'),
    status: 200,
    body: tagsBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => ({
      body: { tags: await handlers.change(server, () => call.body.tags) },
    }),
  }),
  op(ServerTagHandlers, {
    method: 'DELETE',
    path,
    since,
    rule: member('os-server-tags:delete_all'),
    status: 204,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, _call, server) => {
      await handlers.change(server, () => []);
      return {};
    },
  }),
  op(ServerTagHandlers, {
    method: 'GET',
    path: `${path}/:tag`,
    since,
    rule: reader('os-server-tags:show'),
    status: 204,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      const tag = tagOf(call);
      if (!server.tags.includes(tag)) throw missing(server, tag);
      return {};
    },
  }),
  op(ServerTagHandlers, {
    method: 'PUT',
    path: `${path}/:tag`,
    since,
    rule: member('os-server-tags:update'),
    status: 201,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const tag = tagOf(call);
      await handlers.change(server, (tags) => [...tags, tag]);
      const headers = { Location: `${call.base}/v2.1/servers/${server.id}/tags/${encodeURIComponent(tag)}` };
      return { status: server.tags.includes(tag) ? 204 : 201, headers };
    },
  }),
  op(ServerTagHandlers, {
    method: 'DELETE',
    path: `${path}/:tag`,
    since,
    rule: member('os-server-tags:delete'),
    status: 204,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const tag = tagOf(call);
      await handlers.change(server, (tags) => {
        if (!tags.includes(tag)) throw missing(server, tag);
        return tags.filter((known) => known !== tag);
      });
      return {};
    },
  }),
];
