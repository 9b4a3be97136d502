/**
 * What other services tell of servers. A change of the network makes compute look at the server's ports again; everything
 * else is known here by other ways (agents report plugging and power, there are no volumes) and is taken note of alone.
 */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { type Op, op } from '#libs/platform/http';
import { ADMIN, any, role, rule } from '#libs/platform/policy';
import { body, variants } from '#libs/wire';
import { changedPorts, type Server } from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';

const NAMES = ['network-changed', 'network-vif-plugged', 'network-vif-unplugged', 'network-vif-deleted'] as const;
/** Of the network: what they are about may have changed what is shown of the server. */
const OF_NETWORK: ReadonlySet<string> = new Set(NAMES);
/** Later names, with the version that brought each. */
const LATER = [
  ['2.51', 'volume-extended'],
  ['2.76', 'power-update'],
  ['2.82', 'accelerator-request-bound'],
  ['2.93', 'volume-reimaged'],
] as const;
const TAGGED: ReadonlySet<string> = new Set(['volume-extended', 'power-update', 'accelerator-request-bound']);
const MOST = 1_000;

const namesAt = (index: number): string[] => [...NAMES, ...LATER.slice(0, index).map(([, name]) => name)];
const Name = variants(
  ['2.1', Type.Enum(namesAt(0))],
  ...LATER.map(([since], index) => [since, Type.Enum(namesAt(index + 1))] as const),
);
const UUID = '^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$';
const shut = { additionalProperties: false } as const;

const Event = Type.Object(
  {
    name: Type.Unsafe<string>(Name),
    server_uuid: Type.String({ pattern: UUID }),
    status: Type.Optional(Type.Enum(['failed', 'completed', 'in-progress'])),
    tag: Type.Optional(Type.String({ maxLength: 255 })),
  },
  shut,
);
const eventsBody = body(Type.Object({ events: Type.Array(Event, { minItems: 1, maxItems: MOST }) }, shut));
type Event = NonNullable<(typeof eventsBody)['static']>['events'][number];

/** 200 where it was taken; else why it was not. */
function codeOf(event: Event, server: Server | undefined): number {
  if (!server) return 404;
  if (TAGGED.has(event.name) && event.tag === undefined) return 400;
  return server.host === null ? 422 : 200;
}

@Injectable()
export class ServerEventHandlers {
  constructor(
    private readonly books: Books,
    private readonly peers: Peers,
    private readonly around: Surroundings,
  ) {}

  /** The events as they are answered, in their order. */
  async take(events: readonly Event[]): Promise<(Event & { code: number })[]> {
    const ids = [...new Set(events.map((event) => event.server_uuid.toLowerCase()))];
    const servers = await this.books.servers.findMany(this.books.db, ids);
    const byId = new Map(servers.map((server) => [server.id, server]));
    const answers = events.map((event) => {
      const code = codeOf(event, byId.get(event.server_uuid.toLowerCase()));
      return { ...event, status: code === 200 ? ('completed' as const) : ('failed' as const), code };
    });
    const changed = answers.filter(({ code, name }) => code === 200 && OF_NETWORK.has(name));
    await this.#refresh([...new Set(changed.map((event) => event.server_uuid.toLowerCase()))]);
    return answers;
  }

  /** Takes over what network says of the ports now, and has the guests be told. */
  async #refresh(ids: readonly string[]): Promise<void> {
    if (!ids.length) return;
    const { servers } = await this.peers.network.listForServers({ serverIds: [...ids] });
    for (const { serverId, ports } of servers) {
      const server = await this.books.servers.find(this.books.db, serverId);
      const changed = server && changedPorts(server, ports);
      if (changed) await this.books.servers.patch(this.books.db, serverId, changed, this.around.clock.now());
    }
    await this.books.db.tx((tx) => this.books.aims.renew(tx, ids));
  }
}

export const serverExternalEventOps: readonly Op[] = [
  op(ServerEventHandlers, {
    method: 'POST',
    path: '/v2.1/os-server-external-events',
    rule: rule('os_compute_api:os-server-external-events:create', any(ADMIN, role('service'))),
    status: 200,
    body: eventsBody,
    run: async (handlers, call) => {
      const events = await handlers.take(call.body.events);
      const status = events.every(({ code }) => code === 200) ? 200 : 207;
      return { status, body: { events } };
    },
  }),
];
