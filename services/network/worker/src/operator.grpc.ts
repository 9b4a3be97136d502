/** For the operator's command: what happened to an id, what the books say beside what is in OVN, and how it goes. */
import { operatorV1 } from '#libs/contract';
import { type Clock, isUuid } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import { eventsOf, type NetworkBooks, type PendingMark, type StoredEvent } from '#services/network/data';
import { KIND } from '#services/network/domain';
import type { NbClient } from './ovn/northbound.js';
import type { Reconciler } from './ovn/reconciler.js';

export interface OperatorParts {
  readonly books: NetworkBooks;
  readonly client: NbClient;
  readonly reconciler: Reconciler;
  readonly clock: Clock;
  readonly log: Log;
  readonly process: string;
  readonly version: string;
  readonly startedAt: Date;
  /** True while tokens can be judged. */
  readonly tokensFresh: () => boolean;
}

/** For `cli` alone. */
export function operatorBinding(parts: OperatorParts): Binding {
  return bind(
    operatorV1.OperatorService,
    {
      trace: async ({ id }) => ({ events: await trace(parts, id) }),
      books: async () => ({ rows: await bookRows(parts) }),
      status: () => statusOf(parts),
    },
    (peer) => peer === 'cli',
    parts.log,
  );
}

const eventMessage = (event: StoredEvent): operatorV1.TraceEvent => ({
  atMs: event.at.getTime(),
  service: 'network',
  node: '',
  what: event.what,
  outcome: event.outcome,
  detail: event.detail,
  requestId: event.requestId,
  taskId: '',
  relatedIds: [event.resourceId, ...event.related],
});

/** The events of the id; for a server also those of its ports, and what OVN has yet to learn of any of these. */
async function trace(parts: OperatorParts, id: string): Promise<operatorV1.TraceEvent[]> {
  const { books } = parts;
  const own = await eventsOf(books.db, id);
  const ports = (await books.ports.ofDevices(books.db, [id])).map((port) => port.id);
  const events = [...own];
  for (const port of ports) events.push(...(await eventsOf(books.db, port)));
  const marks: PendingMark[] = [];
  for (const subject of [id, ...ports].filter(isUuid)) marks.push(...(await books.dirty.pendingOf(books.db, subject)));
  const seen = new Set<string>();
  const once = events.map(eventMessage).filter((event) => {
    const key = JSON.stringify(event);
    return seen.has(key) ? false : seen.add(key).size > 0;
  });
  return [...once, ...marks.map(markMessage)].sort((a, b) => a.atMs - b.atMs);
}

const markMessage = (mark: PendingMark): operatorV1.TraceEvent => ({
  atMs: mark.since.getTime(),
  service: 'network',
  node: '',
  what: `${mark.kind} on its way into OVN`,
  outcome: mark.error === '' ? 'waiting' : 'failed',
  detail: mark.error === '' ? '' : `tried ${mark.tries} times: ${mark.error}`,
  requestId: '',
  taskId: '',
  relatedIds: [mark.id],
});

type Row = operatorV1.BookRow;
const row = (kind: string, id: string, more: Partial<Row> = {}): Row => ({
  kind,
  id,
  serverId: '',
  node: '',
  state: '',
  facts: {},
  ...more,
});

async function bookRows({ books, client }: OperatorParts): Promise<Row[]> {
  const { db } = books;
  const dirty = new Set((await books.dirty.pending(db)).map((mark) => mark.id));
  const facts = (id: string): Record<string, string> => (dirty.has(id) ? { dirty: 'true' } : {});
  const ports = await db.query<{ id: string; device_id: string; device_owner: string; host: string; status: string }>(
    `select id, device_id, device_owner, host, status from port where device_owner not like 'network:%'`,
  );
  const groups = await db.query<{ id: string }>('select id from security_group');
  const usage = await books.quotas.audit(db);
  return [
    ...ports.map((port) =>
      row('port', port.id, {
        serverId: port.device_owner.startsWith('compute:') ? port.device_id : '',
        node: port.host,
        state: port.status,
        facts: facts(port.id),
      }),
    ),
    ...groups.map((group) => row('security_group', group.id, { facts: facts(group.id) })),
    ...ovnRows(client, facts),
    ...foreignRows(client),
    ...usage.map((used) =>
      row('usage', `${used.projectId}/${used.resource}`, {
        facts: { recorded: String(used.recorded), counted: String(used.counted) },
      }),
    ),
  ];
}

/** What is in OVN and bears our mark. */
function ovnRows(client: NbClient, facts: (id: string) => Record<string, string>): Row[] {
  const own = (kind: string) => (entry: { readonly external_ids: ReadonlyMap<string, string> }) =>
    entry.external_ids.get(KIND) === kind;
  const ports = [...client.replica.table('Logical_Switch_Port').values()].filter(own('port'));
  const groups = [...client.replica.table('Port_Group').values()].filter(own('security_group'));
  return [
    ...ports.map((port) =>
      row('ovn_port', port.name, { state: port.up === true ? 'up' : 'down', facts: facts(port.name) }),
    ),
    ...groups.map((group) => row('ovn_port_group', group._uuid, { facts: facts(group._uuid) })),
  ];
}

/** Tables in which a row of somebody else touches what tenants have. */
const SHARED_TABLES = [
  'Logical_Switch',
  'Logical_Switch_Port',
  'Logical_Router',
  'Logical_Router_Port',
  'Port_Group',
  'ACL',
  'NAT',
  'QoS',
] as const;

/** What is in OVN and is not ours: it is told, and left alone. */
function foreignRows(client: NbClient): Row[] {
  return SHARED_TABLES.flatMap((table) => {
    const rows: Iterable<{ readonly _uuid: string; readonly external_ids: ReadonlyMap<string, string> }> =
      client.replica.table(table).values();
    return [...rows]
      .filter((entry) => !entry.external_ids.has(KIND))
      .map((entry) => row('ovn_foreign', entry._uuid, { facts: { table } }));
  });
}

async function statusOf(parts: OperatorParts): Promise<operatorV1.StatusReply> {
  const { books, clock, reconciler } = parts;
  const pending = await books.dirty.pending(books.db).catch(() => undefined);
  const failed = pending?.filter((mark) => mark.error !== '').length ?? 0;
  const line = (name: string, good: boolean, detail: string, bad = 'down'): operatorV1.StatusLine => ({
    name,
    state: good ? 'ok' : bad,
    detail,
  });
  return {
    process: parts.process,
    version: parts.version,
    uptimeMs: clock.now().getTime() - parts.startedAt.getTime(),
    lines: [
      line('database', pending !== undefined, ''),
      line('tokens', parts.tokensFresh(), '', 'degraded'),
      line('ovn northbound', reconciler.problem === '', reconciler.problem),
      line(
        'changes on their way into ovn',
        failed === 0,
        `${pending?.length ?? 0} waiting, ${failed} refused`,
        'degraded',
      ),
    ],
  };
}
