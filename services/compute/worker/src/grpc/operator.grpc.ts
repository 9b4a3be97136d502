/** The operator's questions to compute: what happened to an id, what do the books say, and how is the service. */
import type { operatorV1 } from '#libs/contract';
import type { Clock } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { flowStatus } from '#libs/platform/flow';
import type { Implementation } from '#libs/platform/grpc';
import type { BookRepo, NodeEventRepo, NodeRepo, StandingRepo } from '#services/compute/data';
import type { Node } from '#services/compute/domain';
import type { AgentOf } from '../peers.js';
import { books } from './books.js';
import { trace } from './trace.js';

export interface OperatorDeps {
  readonly db: Db;
  readonly nodes: NodeRepo;
  readonly events: NodeEventRepo;
  readonly standings: StandingRepo;
  readonly books: BookRepo;
  readonly agentOf: AgentOf<'inventory'>;
  /** Messages that wait in compute's queue; undefined while the broker is away. */
  readonly waitingReports: () => Promise<number | undefined>;
  readonly process: string;
  readonly version: string;
  readonly startedAt: Date;
  readonly clock: Clock;
}

export function operatorService(deps: OperatorDeps): Implementation<operatorV1.OperatorService> {
  return {
    trace: async ({ id }) => ({ events: await trace(deps.db, deps.events, id) }),
    books: async () => ({ rows: await books(deps) }),
    status: async () => ({
      process: deps.process,
      version: deps.version,
      uptimeMs: deps.clock.now().getTime() - deps.startedAt.getTime(),
      lines: [...(await databaseLines(deps)), await queueLine(deps)],
    }),
  };
}

const line = (name: string, state: 'ok' | 'degraded' | 'down', detail: string): operatorV1.StatusLine => ({
  name,
  state,
  detail,
});

/** Reports that wait longer than moments mean that somebody does not keep up. */
const MANY_REPORTS = 1_000;
const LATE_MS = 5_000;

async function databaseLines(deps: OperatorDeps): Promise<operatorV1.StatusLine[]> {
  try {
    const [flows, nodes] = await Promise.all([flowStatus(deps.db), deps.nodes.list(deps.db)]);
    const { running, queued, stuck, debts, lateMs } = flows;
    const late = lateMs > LATE_MS;
    return [
      line('database', 'ok', ''),
      line(
        'operations',
        stuck || late ? 'degraded' : 'ok',
        `${running} running, ${queued} queued, ${stuck} stuck, ${lateMs} ms late`,
      ),
      line('debts', 'ok', String(debts)),
      ...nodes.map((node) => line(`node ${node.name}`, node.state === 'up' ? 'ok' : 'down', nodeDetail(node))),
    ];
  } catch {
    return [line('database', 'down', 'not reached')];
  }
}

const nodeDetail = (node: Node): string =>
  [
    node.stateReason,
    node.disabled ? `disabled ${node.disabledReason ?? ''}`.trim() : '',
    node.trouble ?? '',
    node.accelReason,
  ]
    .filter(Boolean)
    .join('; ') || node.accel;

async function queueLine(deps: OperatorDeps): Promise<operatorV1.StatusLine> {
  const waiting = await deps.waitingReports();
  if (waiting === undefined) return line('amqp', 'down', 'the broker is not reached');
  return line('queue compute.report', waiting > MANY_REPORTS ? 'degraded' : 'ok', `${waiting} waiting`);
}
