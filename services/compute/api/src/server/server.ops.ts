/** Servers: list, create, show, update, delete. */
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Call, type Op, op } from '#libs/platform/http';
import { body, during } from '#libs/wire';
import type { ServerPatch } from '#services/compute/data';
import { admin, isAdmin, member, reader } from '../compute.rules.js';
import { linksToNext, pageOf } from '../paging.wire.js';
import { Name } from '../values.wire.js';
import { ServerHandlers } from './server.handlers.js';
import {
  ADMIN_DETAILS,
  briefServer,
  EXTENDED,
  extrasFor,
  FLAVOR_SPECS,
  HOST_STATUS,
  listedServer,
  serverLinks,
  shownServer,
  updatedServer,
} from './server.wire.js';
import { ServerCreateHandlers } from './server-create.handlers.js';
import {
  addressOf,
  asksForHost,
  HostnameText,
  newServerBody,
  orderOf,
  wantsReservation,
} from './server-create.wire.js';
import { type ListRights, listQuery, NOTHING, serversQuery } from './server-list.wire.js';
import { askerOf, loadServer } from './server-target.js';

const unprefixed = (name: string): string => name.replace('os_compute_api:', '');
const FORCED_HOST = admin('servers:create:forced_host');
const REQUESTED_HOST = admin('compute:servers:create:requested_destination');
const ZERO_DISK = admin('servers:create:zero_disk_flavor');
const ALL_INDEX = admin('servers:index:get_all_tenants');
const ALL_DETAIL = admin('servers:detail:get_all_tenants');

/** Asked for by name, by rows and views. */
export const serverRules = [
  FORCED_HOST,
  REQUESTED_HOST,
  ZERO_DISK,
  ALL_INDEX,
  ALL_DETAIL,
  admin(unprefixed(ADMIN_DETAILS)),
  admin(unprefixed(EXTENDED)),
  admin(unprefixed(HOST_STATUS)),
  reader(unprefixed(FLAVOR_SPECS)),
];

const rightsOf = (call: Pick<Call, 'may'>, everywhere: string): ListRights => ({
  allProjects: call.may(everywhere),
  allFilters: call.may(ADMIN_DETAILS),
});

const visibleIn = (call: Pick<Call<unknown, unknown>, 'may' | 'who'>): string | undefined =>
  isAdmin(call) ? undefined : (call.who.projectId ?? '');

const lists: readonly Op[] = [
  op(ServerHandlers, {
    method: 'GET',
    path: '/v2.1/servers',
    rule: reader('servers:index'),
    status: 200,
    query: serversQuery,
    run: async (handlers, call) => {
      const query = listQuery(call as never, rightsOf(call, ALL_INDEX.name));
      if (query === NOTHING) return { body: { servers: [] } };
      const shown = pageOf(await handlers.listNames(query, visibleIn(call)), query.limit);
      const servers = shown.page.map((row) => briefServer(row, call));
      return { body: { servers, ...linksToNext(call, 'servers', shown, (row) => row.id) } };
    },
  }),
  op(ServerHandlers, {
    method: 'GET',
    path: '/v2.1/servers/detail',
    rule: reader('servers:detail'),
    status: 200,
    query: serversQuery,
    run: async (handlers, call) => {
      const query = listQuery(call as never, rightsOf(call, ALL_DETAIL.name));
      if (query === NOTHING) return { body: { servers: [] } };
      const shown = pageOf(await handlers.list(query, visibleIn(call)), query.limit);
      const rows = await handlers.withExtras(shown.page, extrasFor(call));
      const servers = rows.map((row) => listedServer(row, call));
      return { body: { servers, ...linksToNext(call, 'servers', shown, (row) => row.id) } };
    },
  }),
];

const create = op(ServerCreateHandlers, {
  method: 'POST',
  path: '/v2.1/servers',
  rule: member('servers:create'),
  status: 202,
  body: newServerBody,
  run: async (handlers, call) => {
    const { projectId } = call.who;
    if (projectId === undefined) throw fail.forbidden('A server needs a project: the token has none.');
    const asks = asksForHost(call.body);
    const needed = asks === 'forced' ? FORCED_HOST : REQUESTED_HOST;
    if (asks && !call.may(needed.name)) throw fail.forbidden(`Policy doesn't allow ${needed.name} to be performed.`);
    const context = {
      who: { ...call.who, projectId },
      isAdmin: isAdmin(call),
      rights: { zeroDiskFlavor: call.may(ZERO_DISK.name) },
      requestId: call.requestId,
    };
    const order = orderOf(call.body);
    const made = await handlers.create(order, context);
    if (wantsReservation(call.body)) return { body: { reservation_id: made.reservationId } };
    const links = serverLinks(call.base, made.id);
    const server = {
      id: made.id,
      links,
      'OS-DCF:diskConfig': order.diskConfig,
      security_groups: made.securityGroups.map(({ name }) => ({ name })),
      adminPass: made.adminPass,
    };
    return { headers: { Location: links[0]!.href }, body: { server } };
  },
});

const updateBody = body(
  Type.Object(
    {
      server: Type.Object(
        {
          name: Type.Optional(Name),
          'OS-DCF:diskConfig': Type.Optional(Type.Union([Type.Literal('AUTO'), Type.Literal('MANUAL')])),
          accessIPv4: Type.Optional(Type.String({ maxLength: 64 })),
          accessIPv6: Type.Optional(Type.String({ maxLength: 64 })),
          description: Type.Optional(
            Type.Union([Type.String({ maxLength: 255 }), Type.Null()], during({ since: '2.19' })),
          ),
          hostname: Type.Optional(Type.Intersect([HostnameText], during({ since: '2.90' }))),
        },
        { additionalProperties: false },
      ),
    },
    { additionalProperties: false },
  ),
);

const single: readonly Op[] = [
  op(ServerHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id',
    rule: reader('servers:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const [row] = await handlers.withExtras([server], extrasFor(call));
      return { body: { server: shownServer(row!, call) } };
    },
  }),
  op(ServerHandlers, {
    method: 'PUT',
    path: '/v2.1/servers/:id',
    rule: member('servers:update'),
    status: 200,
    body: updateBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const asked = call.body.server;
      const diskConfig = asked['OS-DCF:diskConfig'];
      const patch: ServerPatch = {
        ...(asked.name === undefined ? {} : { name: asked.name }),
        ...(asked.description === undefined ? {} : { description: asked.description }),
        ...(asked.hostname === undefined ? {} : { hostname: asked.hostname }),
        ...(diskConfig === undefined ? {} : { diskConfig }),
        ...(asked.accessIPv4 === undefined ? {} : { accessIpV4: addressOf(asked.accessIPv4, 4) }),
        ...(asked.accessIPv6 === undefined ? {} : { accessIpV6: addressOf(asked.accessIPv6, 6) }),
      };
      const [row] = await handlers.withExtras([await handlers.update(server, patch)], extrasFor(call));
      return { body: { server: updatedServer(row!, call) } };
    },
  }),
  op(ServerHandlers, {
    method: 'DELETE',
    path: '/v2.1/servers/:id',
    rule: member('servers:delete'),
    status: 204,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.remove(server, askerOf(call));
      return {};
    },
  }),
];

export const serverOps: readonly Op[] = [...lists, create, ...single];

/** The same servers under the older name, from when booting from a volume was an operation of its own. */
export const volumesBootOps: readonly Op[] = serverOps.map((row) => ({
  ...row,
  path: row.path.replace('/servers', '/os-volumes_boot'),
}));
