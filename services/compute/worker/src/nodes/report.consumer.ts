/**
 * Takes what nodes say. A report counts only when the broker vouches for its sender and the sender speaks of itself:
 * user `agent-<node>`, routing key and body name the same node. Anything else is dropped and counted.
 */
import { Ajv } from 'ajv';
import { COMPUTE_REPORT_QUEUE, NodeReport, nodeDigest } from '#libs/contract';
import { isUuid } from '#libs/kernel';
import type { Consumer, Message } from '#libs/platform/amqp';
import type { Db } from '#libs/platform/db';
import { wakeTasks } from '#libs/platform/flow';
import { Counter, type Log, metrics } from '#libs/platform/log';
import type { ReportRepo } from '#services/compute/data';
import { serverKey } from '#services/compute/domain';
import type { SendCommand } from '../peers.js';
import type { ServerReconciler } from '../reconcile/server.reconciler.js';
import type { FenceKeeper } from './fence-keeper.js';
import type { Hearing } from './hearing.js';
import type { NodeWatch } from './node-watch.js';

interface Deps {
  readonly db: Db;
  readonly reports: ReportRepo;
  readonly watch: NodeWatch;
  readonly fences: FenceKeeper;
  readonly servers: ServerReconciler;
  readonly hearing: Hearing;
  readonly send: SendCommand;
  readonly now: () => Date;
  readonly log: Log;
}

type ServerSaid = Extract<NodeReport, { type: 'server' }>;
type Beat = Extract<NodeReport, { type: 'beat' }>;
type Full = Extract<NodeReport, { type: 'full' }>;

const refused = new Counter({
  name: 'compute_reports_refused_total',
  help: 'Reports that were dropped, by reason',
  labelNames: ['reason'],
  registers: [metrics],
});

const fits = new Ajv({ strict: false }).compile<NodeReport>(NodeReport);
/** A node whose digest differs is asked for everything at most this often. */
const ASK_MS = 3_000;

export class ReportConsumer implements Consumer {
  readonly queue = COMPUTE_REPORT_QUEUE;
  readonly prefetch = 64;
  /** The digest of each node that was found to agree with the books, and when a node was asked last. */
  readonly #agreed = new Map<string, string>();
  readonly #asked = new Map<string, number>();

  constructor(private readonly deps: Deps) {}

  async handle(message: Message): Promise<void> {
    const report = this.#accept(message);
    if (!report) return;
    if (report.type === 'server') await this.#server(report, message.requestId);
    else if (report.type === 'beat') await this.#beat(report);
    else await this.#full(report);
  }

  #accept({ body, userId, routingKey }: Message): NodeReport | undefined {
    if (!fits(body)) return this.#refuse('malformed', userId);
    if (userId !== `agent-${body.node}`) return this.#refuse('other-sender', userId, body.node);
    if (routingKey !== body.node) return this.#refuse('other-key', userId, body.node);
    if (body.type === 'server' && !isUuid(body.serverId)) return this.#refuse('malformed', userId);
    return body;
  }

  #refuse(reason: string, sender: string | undefined, node?: string): undefined {
    refused.labels(reason).inc();
    this.deps.log.warn({ reason, sender, node }, 'a report was refused');
  }

  async #server(report: ServerSaid, requestId: string): Promise<void> {
    const { db, reports, watch, servers, hearing, now } = this.deps;
    const { node, serverId } = report;
    watch.heard({ name: node, at: now() });
    const said = event({ ...report, error: report.error ?? null });
    const kept = await reports.record(db, said, now(), requestId);
    if (!kept || (report.outcome === 'busy' && !report.event)) return;
    // Also for what was known: whoever sent the command again has forgotten what came of it.
    if (!hearing.tell(said)) await wakeTasks(db, [serverKey(serverId)]);
    if (!kept.changed) return;
    if (kept.confirmed === 'absent') watch.tryUp(node, true);
    if (report.event) await servers.settle(serverId);
  }

  async #beat(beat: Beat): Promise<void> {
    const { watch, fences, now } = this.deps;
    const { node, freeDiskGb, freeMemoryMb, loadAverage, uptimeS, digest, highestFence, trouble } = beat;
    const load = { freeDiskGb, freeMemoryMb, loadAverage, uptimeS, digest, highestFence };
    watch.heard({ name: node, at: now(), ...load, trouble: trouble ?? null });
    await fences.above(highestFence);
    if (this.#agreed.get(node) !== digest) await this.#compare(node, digest);
  }

  async #compare(node: string, digest: string): Promise<void> {
    const { db, reports, send, now } = this.deps;
    if (nodeDigest(await reports.powers(db, node)) === digest) {
      this.#agreed.set(node, digest);
      return;
    }
    const at = now().getTime();
    if (at - (this.#asked.get(node) ?? 0) < ASK_MS) return;
    this.#asked.set(node, at);
    await send(node, { type: 'report' }).catch(() => undefined);
  }

  async #full(full: Full): Promise<void> {
    const { db, reports, watch, servers, now } = this.deps;
    const { node, atMs, digest } = full;
    watch.heard({ name: node, at: now() });
    const known = full.servers.filter((server) => isUuid(server.serverId));
    const changed = await reports.survey(db, node, known, atMs);
    this.#agreed.set(node, digest);
    if (changed.length) await wakeTasks(db, changed.map(serverKey));
    await servers.settleNode(node);
  }
}

/** An event tells what is, not whether a command has come to its end. */
const event = <R extends { event: boolean; outcome: string }>(report: R): R =>
  report.event ? { ...report, outcome: 'busy' } : report;
