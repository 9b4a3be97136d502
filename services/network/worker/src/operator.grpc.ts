/** For the operator's command: what happened to an id, what the books say beside what is in OVN, and how it goes. */
import { operatorV1 } from '#libs/contract';
import { type Clock, isUuid } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import { eventsOf, type NetworkBooks, type PendingMark, type StoredEvent } from '#services/network/data';
import { bookRows } from './book-rows.js';
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
      books: async () => ({ rows: await bookRows(parts.books, parts.client) }),
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
