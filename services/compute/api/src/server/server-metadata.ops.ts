/** The metadata of a server: items that the tenant keeps with it and the guest can read. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { body } from '#libs/wire';
import { fits, type Server, type VmState } from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import { member, reader } from '../compute.rules.js';
import { Metadata } from '../values.wire.js';
import { type Asker, refuseLocked, ServerHandlers, serverNotFound } from './server.handlers.js';
import { askerOf, loadServer } from './server-target.js';

const CHANGEABLE: ReadonlySet<VmState> = new Set(['active', 'paused', 'suspended', 'stopped']);

type Items = Readonly<Record<string, string>>;

@Injectable()
export class ServerMetadataHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** Changes the items under the row's lock, so that writers do not lose each other's. */
  async change(server: Server, asker: Asker, to: (items: Items) => Items, action = 'update metadata'): Promise<Items> {
    refuseLocked(server, asker);
    const { db, servers, quotas, aims } = this.books;
    const limits = await quotas.limits(db, server.projectId);
    return db.tx(async (tx) => {
      const current = await servers.lock(tx, server.id);
      if (!current) throw serverNotFound(server.id);
      if (!CHANGEABLE.has(current.vmState))
        throw fail.conflict(`Cannot '${action}' instance ${server.id} while it is in vm_state ${current.vmState}`);
      const items = to(current.metadata);
      const most = limits.project.metadata_items;
      if (!fits(most, Object.keys(items).length))
        throw fail.overQuota(`Maximum number of metadata items exceeds ${most}`);
      await servers.patch(tx, server.id, { metadata: items }, this.around.clock.now());
      await aims.renew(tx, [server.id]);
      return items;
    });
  }
}

const shut = { additionalProperties: false } as const;
const itemsBody = body(Type.Object({ metadata: Metadata }, shut));
const itemBody = body(
  Type.Object(
    {
      meta: Type.Record(Type.String({ pattern: '^[a-zA-Z0-9-_:. ]{1,255}$' }), Type.String({ maxLength: 255 }), {
        ...shut,
        minProperties: 1,
        maxProperties: 1,
      }),
    },
    shut,
  ),
);

const path = '/v2.1/servers/:id/metadata';
const missing = () => fail.notFound('Metadata item was not found');
const key = (call: { readonly params: Readonly<Record<string, string>> }): string => call.params['key'] ?? '';

export const serverMetadataOps: readonly Op[] = [
  op(ServerMetadataHandlers, {
    method: 'GET',
    path,
    rule: reader('server-metadata:index'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, _call, server) => ({ body: { metadata: server.metadata } }),
  }),
  op(ServerMetadataHandlers, {
    method: 'POST',
    path,
    rule: member('server-metadata:create'),
    status: 200,
    body: itemsBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => ({
      body: {
        metadata: await handlers.change(server, askerOf(call), (items) => ({ ...items, ...call.body.metadata })),
      },
    }),
  }),
  op(ServerMetadataHandlers, {
    method: 'PUT',
    path,
    rule: member('server-metadata:update_all'),
    status: 200,
    body: itemsBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => ({
      body: { metadata: await handlers.change(server, askerOf(call), () => call.body.metadata) },
    }),
  }),
  op(ServerMetadataHandlers, {
    method: 'GET',
    path: `${path}/:key`,
    rule: reader('server-metadata:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      if (!Object.hasOwn(server.metadata, key(call))) throw missing();
      return { body: { meta: { [key(call)]: server.metadata[key(call)] } } };
    },
  }),
  op(ServerMetadataHandlers, {
    method: 'PUT',
    path: `${path}/:key`,
    rule: member('server-metadata:update'),
    status: 200,
    body: itemBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const { meta } = call.body;
      if (!Object.hasOwn(meta, key(call))) throw fail.invalid('Request body and URI mismatch');
      await handlers.change(server, askerOf(call), (items) => ({ ...items, ...meta }));
      return { body: { meta } };
    },
  }),
  op(ServerMetadataHandlers, {
    method: 'DELETE',
    path: `${path}/:key`,
    rule: member('server-metadata:delete'),
    status: 204,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const without = (items: Items): Items => {
        if (!Object.hasOwn(items, key(call))) throw missing();
        return Object.fromEntries(Object.entries(items).filter(([name]) => name !== key(call)));
      };
      await handlers.change(server, askerOf(call), without, 'delete metadata');
      return {};
    },
  }),
];
