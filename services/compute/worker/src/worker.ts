/**
 * Everything of compute that works behind the API: the flows and their runner, the ear for the nodes, the watch over them,
 * the scans, and what agents and operators may call. `start` needs nothing but the database to be reachable.
 */
import {
  COMPUTE_REPORT_QUEUE,
  computeConsoleV1,
  computeServersV1,
  computeTasksV1,
  computeV1,
  NODE_COMMAND_EXCHANGE,
  operatorV1,
} from '#libs/contract';
import type { Clock, Ids } from '#libs/kernel';
import { Bus } from '#libs/platform/amqp';
import type { Db } from '#libs/platform/db';
import { FlowRunner, flowMetrics } from '#libs/platform/flow';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import {
  AggregateRepo,
  BookRepo,
  NodeEventRepo,
  NodePulseRepo,
  NodeRepo,
  NodeStateRepo,
  ReportRepo,
  ServerGroupRepo,
  ServerNodeRepo,
  type ServerPasswordRepo,
  type ServerRepo,
  type SpecRepo,
  StandingRepo,
} from '#services/compute/data';
import { computeFlows } from './flows/index.js';
import { Pursuit } from './flows/pursuit.js';
import { mayBeNode } from './grpc/callers.js';
import { consolesService } from './grpc/consoles.grpc.js';
import { nodesService } from './grpc/nodes.grpc.js';
import { operatorService } from './grpc/operator.grpc.js';
import { serversService } from './grpc/servers.grpc.js';
import { tasksService } from './grpc/tasks.grpc.js';
import { Enrolment } from './nodes/enrolment.js';
import { FenceKeeper } from './nodes/fence-keeper.js';
import { Hearing } from './nodes/hearing.js';
import { NodeWatch } from './nodes/node-watch.js';
import { ProviderSync } from './nodes/provider-sync.js';
import { PulseTeller } from './nodes/pulse-teller.js';
import { ReportConsumer } from './nodes/report.consumer.js';
import { ServerNews } from './nodes/server-news.js';
import { declareNode, declareReports } from './nodes/topology.js';
import type { WorkerOptions } from './options.js';
import type { AgentOf, Images, Network, Placement, SendCommand } from './peers.js';
import { Janitor } from './reconcile/janitor.js';
import { LostInterfaces } from './reconcile/lost-interfaces.js';
import { ResizeConfirmer } from './reconcile/resize-confirm.js';
import { ServerReconciler } from './reconcile/server.reconciler.js';
import { Shelf } from './reconcile/shelf.js';

export interface WorkerDeps {
  readonly db: Db;
  readonly servers: ServerRepo;
  readonly specs: SpecRepo;
  readonly passwords: ServerPasswordRepo;
  readonly placement: Placement;
  readonly network: Network;
  readonly images: Images;
  readonly amqp: string;
  readonly agentOf: AgentOf;
  readonly options: WorkerOptions;
  readonly process: string;
  readonly version: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** A command that lies in a node's queue for longer is of no use: it is sent again. */
const COMMAND_EXPIRES_MS = 60_000;

export class ComputeWorker {
  readonly runner: FlowRunner;
  readonly #bus: Bus;
  readonly #watch: NodeWatch;
  readonly #janitor: Janitor;
  readonly #enrolment: Enrolment;
  readonly #pulses: PulseTeller;
  readonly #news: ServerNews;
  readonly #lost: LostInterfaces;
  readonly #repos = {
    nodes: new NodeRepo(),
    states: new NodeStateRepo(),
    aims: new ServerNodeRepo(),
    reports: new ReportRepo(),
    standings: new StandingRepo(),
    books: new BookRepo(),
    events: new NodeEventRepo(),
  };
  #connectedAt: Date | undefined;

  constructor(private readonly deps: WorkerDeps) {
    const { db, servers, placement, network, options, ids, log, process } = deps;
    const { nodes, states, aims, reports, standings } = this.#repos;
    const now = () => deps.clock.now();
    const send: SendCommand = (node, command) =>
      this.#bus.publish(NODE_COMMAND_EXCHANGE, node, command, { expiresMs: COMMAND_EXPIRES_MS });
    const providers = new ProviderSync({ db, nodes, states, aggregates: new AggregateRepo(), placement, options, now });
    this.#watch = new NodeWatch({
      ...{ db, nodes, states, aims, providers, send, now, log },
      silenceMs: options.silenceMs,
      busSince: () => (this.#bus.connected ? this.#connectedAt : undefined),
    });
    const reconciler = new ServerReconciler({ db, servers, aims, standings, send, ids, now, log });
    const fences = new FenceKeeper(db, log);
    const hearing = new Hearing();
    const consumer = new ReportConsumer({
      ...{ db, reports, watch: this.#watch, fences, servers: reconciler, hearing, send, now, log },
    });
    this.#bus = this.#openBus(consumer);
    const { shelvedOffloadS, resizeConfirmWindow: windowS, keepDays } = options;
    const shelf = new Shelf({ db, servers, shelvedOffloadS, ids, now });
    const resizes = new ResizeConfirmer({ db, servers, windowS, ids, now, log });
    this.#news = new ServerNews(db, aims, send);
    this.#lost = new LostInterfaces({ db, servers, network, ids, now, log });
    this.#janitor = new Janitor({
      ...{
        db,
        servers,
        standings,
        reconciler,
        shelf,
        resizes,
        news: this.#news,
        lost: this.#lost,
        keepDays,
        ids,
        now,
        log,
      },
    });
    this.#enrolment = new Enrolment({
      ...{ db, nodes, watch: this.#watch, send, now },
      heartbeatMs: options.heartbeatMs,
      declare: (node) => this.#bus.declare((channel) => declareNode(channel, node)),
    });
    const pulses = new NodePulseRepo();
    this.#pulses = new PulseTeller({ db, pulses, placement, now, log });
    const pursuit = new Pursuit(db, aims, send, hearing);
    const { images, agentOf } = deps;
    const flows = computeFlows({
      ...{ db, placement, network, images, servers, pulses, aims, reports, pursuit, shelvedOffloadS },
      ...{ groups: new ServerGroupRepo(), nodes: states, nodeBook: nodes, agentOf },
    });
    this.runner = new FlowRunner({
      ...{ db, flows, owner: process, log, clock: deps.clock },
      concurrency: options.concurrency,
      hooks: flowMetrics(db),
    });
  }

  async start(): Promise<void> {
    await this.#watch.start();
    this.#bus.start();
    await this.runner.start();
    this.#janitor.start();
    this.#pulses.start();
    await this.#news.start();
    await this.#lost.start();
  }

  /** Steps at work come to their record; everything else is taken up again by whoever starts next. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all([this.runner.stop(graceMs), this.#janitor.stop(), this.#watch.stop(), this.#pulses.stop()]);
    await Promise.all([this.#news.stop(), this.#lost.stop()]);
    await this.#bus.stop();
  }

  /** What agents and the operator's command call. */
  bindings(): Binding[] {
    const { db, specs, passwords, network, images, agentOf, log, process, version, clock } = this.deps;
    const { aims, nodes, events, standings, books } = this.#repos;
    const forNodes = nodesService({ db, specs, aims, passwords, network, images, enrolment: this.#enrolment });
    const forNetwork = serversService({ db, servers: this.deps.servers, network, aims, now: () => clock.now() });
    const forOperators = operatorService({
      ...{ db, nodes, events, standings, books, agentOf, process, version, clock },
      waitingReports: () => this.#bus.depth(COMPUTE_REPORT_QUEUE),
      startedAt: clock.now(),
    });
    return [
      bind(computeV1.NodesService, forNodes, mayBeNode, log),
      bind(computeServersV1.ServersService, forNetwork, (peer) => peer === 'network', log),
      bind(computeConsoleV1.ConsolesService, consolesService(db, clock), (peer) => peer === 'console', log),
      bind(computeTasksV1.TasksService, tasksService(db), (peer) => peer === 'cli', log),
      bind(operatorV1.OperatorService, forOperators, (peer) => peer === 'cli', log),
    ];
  }

  /** Parts that the health probe names. */
  health(): Record<string, boolean> {
    return { amqp: this.#bus.connected };
  }

  #openBus(consumer: ReportConsumer): Bus {
    const { db, amqp, process, log, clock } = this.deps;
    return new Bus({
      url: amqp,
      name: process,
      log,
      consumers: [consumer],
      topology: async (channel) => {
        await declareReports(channel);
        for (const { name } of await this.#repos.states.list(db)) await declareNode(channel, name);
      },
      onConnect: () => {
        this.#connectedAt = clock.now();
      },
    });
  }
}
