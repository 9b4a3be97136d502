/** The operator's questions: what became of a consumer's claims, who holds what, and how is the service. */
import { operatorV1 } from '#libs/contract';
import type { Clock } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type { AllocationRepo, BooksRepo, ClaimEvent, SnapshotKeeper } from '#services/placement/data';
import type { Provider } from '#services/placement/domain';

export interface OperatorParts {
  readonly books: BooksRepo;
  readonly allocations: AllocationRepo;
  readonly keeper: SnapshotKeeper;
  readonly clock: Clock;
  readonly log: Log;
  readonly process: string;
  readonly version: string;
  readonly startedAt: Date;
}

export function operatorBinding(parts: OperatorParts): Binding {
  const trace = async ({ id }: operatorV1.TraceRequest) => ({ events: (await parts.books.events(id)).map(traceEvent) });
  const books = async () => ({ rows: await bookRows(parts) });
  const status = () => statusOf(parts);
  return bind(operatorV1.OperatorService, { trace, books, status }, (peer) => peer === 'cli', parts.log);
}

const traceEvent = (event: ClaimEvent): operatorV1.TraceEvent => ({
  atMs: event.at.getTime(),
  service: 'placement',
  node: event.node ?? '',
  what: event.what,
  outcome: event.outcome === 'ok' ? 'ok' : 'failed',
  detail: event.detail,
  requestId: event.requestId,
  taskId: '',
  relatedIds: [event.consumerId],
});

async function bookRows({ allocations, keeper }: OperatorParts): Promise<operatorV1.BookRow[]> {
  const held = await allocations.all();
  const snapshot = await keeper.fresh();
  return [
    ...held.map((each) => ({
      kind: 'allocation',
      id: each.consumerId,
      serverId: each.consumerId,
      node: each.providerName,
      state: '',
      facts: Object.fromEntries(Object.entries(each.resources).map(([name, amount]) => [name, String(amount)])),
    })),
    ...snapshot.all().flatMap(inventoryRows),
  ];
}

const inventoryRows = (provider: Provider): operatorV1.BookRow[] =>
  [...provider.rooms].map(([name, room]) => ({
    kind: 'inventory',
    id: `${provider.name}/${name}`,
    serverId: '',
    node: provider.name,
    state: provider.facts.disabledReason === null ? 'open' : 'disabled',
    facts: { class: name, used: String(room.used), capacity: String(room.capacity) },
  }));

async function statusOf(parts: OperatorParts): Promise<operatorV1.StatusReply> {
  const alive = await parts.books.alive();
  const wrong = alive ? await parts.books.mismatches() : [];
  const snapshot = parts.keeper.current;
  const nodes = snapshot.all().filter((provider) => provider.facts.isNode);
  const open = nodes.filter((provider) => provider.facts.disabledReason === null);
  return {
    process: parts.process,
    version: parts.version,
    uptimeMs: parts.clock.now().getTime() - parts.startedAt.getTime(),
    lines: [
      { name: 'database', state: alive ? 'ok' : 'down', detail: '' },
      {
        name: 'sums',
        state: wrong.length ? 'degraded' : 'ok',
        detail: wrong
          .map(({ name, used, held }) => `${name}: ${JSON.stringify(used)} but held ${JSON.stringify(held)}`)
          .join('; '),
      },
      {
        name: 'providers',
        state: 'ok',
        detail: `${snapshot.size}, ${nodes.length} nodes of which ${open.length} take servers`,
      },
    ],
  };
}
