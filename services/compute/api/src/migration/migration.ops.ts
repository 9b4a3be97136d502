/** Moves of servers between nodes. There are none yet: the lists are empty, and nothing can be shown, hurried or aborted. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Call, type Op, op } from '#libs/platform/http';
import { body, during, query, variants } from '#libs/wire';
import type { Server } from '#services/compute/domain';
import { admin } from '../compute.rules.js';
import { last } from '../paging.wire.js';
import { ServerHandlers } from '../server/server.handlers.js';
import { loadServer } from '../server/server-target.js';
import { timeOf } from '../values.wire.js';

@Injectable()
export class MigrationHandlers {
  constructor(private readonly servers: ServerHandlers) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }
}

const text = (range: { since?: string } = {}) =>
  Type.Optional(Type.Array(Type.String({ maxLength: 255 }), during(range)));
const properties = {
  hidden: text(),
  host: text(),
  instance_uuid: text(),
  source_compute: text(),
  status: text(),
  migration_type: text(),
  limit: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 1, ...during({ since: '2.59' }) })),
  marker: text({ since: '2.59' }),
  'changes-since': text({ since: '2.59' }),
  'changes-before': text({ since: '2.66' }),
  user_id: text({ since: '2.80' }),
  project_id: text({ since: '2.80' }),
};
/** Unknown parameters are refused earlier here than elsewhere. */
const migrationsQuery = query(
  variants(
    ['2.1', Type.Object(properties, { additionalProperties: true })],
    ['2.59', Type.Object(properties, { additionalProperties: false })],
  ),
);

const SINCE_PAGING = 2_059;
const SINCE_CHANGES_BEFORE = 2_066;

function checkTimes(call: Pick<Call<unknown, Readonly<Record<string, unknown>>>, 'query' | 'version'>): void {
  const at = (name: string): Date | undefined => {
    const word = last(call.query[name] as string[] | undefined);
    return word === undefined ? undefined : timeOf(word, name);
  };
  if (call.version < SINCE_PAGING) return;
  const since = at('changes-since');
  const before = call.version < SINCE_CHANGES_BEFORE ? undefined : at('changes-before');
  if (since && before && since > before)
    throw fail.invalid('The value of changes-since must be less than or equal to changes-before.');
}

const list = op(MigrationHandlers, {
  method: 'GET',
  path: '/v2.1/os-migrations',
  rule: admin('os-migrations:index'),
  status: 200,
  query: migrationsQuery,
  run: (_handlers, call) => {
    checkTimes(call as never);
    const marker = call.version < SINCE_PAGING ? undefined : last(call.query.marker as string[] | undefined);
    if (marker !== undefined) throw fail.invalid(`Marker ${marker.slice(0, 64)} could not be found.`);
    return { body: { migrations: [] } };
  },
});

const path = '/v2.1/servers/:id/migrations';
const migrationId = (call: { readonly params: Readonly<Record<string, string>> }): string =>
  (call.params['migration'] ?? '').slice(0, 64);

const ofServers: readonly Op[] = [
  op(MigrationHandlers, {
    method: 'GET',
    path,
    since: '2.23',
    rule: admin('servers:migrations:index'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: () => ({ body: { migrations: [] } }),
  }),
  op(MigrationHandlers, {
    method: 'GET',
    path: `${path}/:migration`,
    since: '2.23',
    rule: admin('servers:migrations:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      throw fail.notFound(`In-progress live migration ${migrationId(call)} is not found for server ${server.id}.`);
    },
  }),
  op(MigrationHandlers, {
    method: 'DELETE',
    path: `${path}/:migration`,
    since: '2.24',
    rule: admin('servers:migrations:delete'),
    status: 202,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      throw fail.notFound(`Migration ${migrationId(call)} not found for instance ${server.id}`);
    },
  }),
  op(MigrationHandlers, {
    method: 'POST',
    path: `${path}/:migration/action`,
    action: 'force_complete',
    since: '2.22',
    rule: admin('servers:migrations:force_complete'),
    status: 202,
    body: body(Type.Object({ force_complete: Type.Null() }, { additionalProperties: false })),
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      throw fail.invalid(`Migration ${migrationId(call)} not found for instance ${server.id}`);
    },
  }),
];

export const migrationOps: readonly Op[] = [list, ...ofServers];
