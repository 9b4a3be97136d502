/**
 * Compute's worker with a database of its own among stand-ins: placement, network and image answer in this process, nodes
 * get their commands and send their reports without a broker.
 */
import { randomUUID } from 'node:crypto';
import type { computeV1, NodeReport } from '#libs/contract';
import { delay, fail, randomIds } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import {
  type AnyFlow,
  FlowRunner,
  flowMigrations,
  insertTask,
  type NewTask,
  type Probe,
  requestCancel,
  taskHistory,
  withdrawWaiting,
} from '#libs/platform/flow';
import { openLog } from '#libs/platform/log';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import {
  AggregateRepo,
  computeMigrations,
  NodeEventRepo,
  NodePulseRepo,
  NodeRepo,
  NodeStateRepo,
  QuotaRepo,
  ReportRepo,
  Seal,
  ServerGroupRepo,
  ServerNodeRepo,
  ServerPasswordRepo,
  ServerRepo,
  SpecRepo,
  StandingRepo,
} from '#services/compute/data';
import {
  type MoveName,
  type RebootKind,
  SERVER_CREATE,
  SERVER_DELETE,
  SERVER_REBOOT,
  type Server,
  type ServerCreateInput,
  serverKey,
} from '#services/compute/domain';
import { computeFlows } from '../flows/index.js';
import { Pursuit } from '../flows/pursuit.js';
import { nodesService } from '../grpc/nodes.grpc.js';
import { Enrolment } from '../nodes/enrolment.js';
import { FenceKeeper } from '../nodes/fence-keeper.js';
import { Hearing } from '../nodes/hearing.js';
import { NodeWatch } from '../nodes/node-watch.js';
import { ProviderSync } from '../nodes/provider-sync.js';
import { ReportConsumer } from '../nodes/report.consumer.js';
import { ServerNews } from '../nodes/server-news.js';
import type { WorkerOptions } from '../options.js';
import type { SendCommand } from '../peers.js';
import { ServerReconciler } from '../reconcile/server.reconciler.js';
import { FakeImages } from './fake-images.fixture.js';
import { FakeNetwork } from './fake-network.fixture.js';
import { FakeNode, type Held } from './fake-node.fixture.js';
import { FakePlacement } from './fake-placement.fixture.js';
import { newServer } from './new-server.fixture.js';

export const OPTIONS: WorkerOptions = {
  cpuRatio: 16,
  memoryRatio: 1,
  diskRatio: 1,
  nodeRatios: {},
  reservedMemoryMb: 0,
  heartbeatMs: 1_000,
  silenceMs: 31_000,
  shelvedOffloadS: 0,
  concurrency: 8,
  keepDays: 7,
  resizeConfirmWindow: 0,
};

const SEAL = new Seal(Buffer.alloc(32, 7));

export class Testbed {
  readonly db: Db;
  readonly log = openLog('test', 'silent');
  readonly placement = new FakePlacement();
  readonly network = new FakeNetwork();
  readonly images = new FakeImages();
  readonly nodes = new Map<string, FakeNode>();
  readonly servers = new ServerRepo(SEAL);
  readonly passwords = new ServerPasswordRepo(SEAL);
  readonly repos = {
    nodes: new NodeRepo(),
    states: new NodeStateRepo(),
    aims: new ServerNodeRepo(),
    reports: new ReportRepo(),
    standings: new StandingRepo(),
    events: new NodeEventRepo(),
    quotas: new QuotaRepo(),
  };
  readonly watch: NodeWatch;
  readonly consumer: ReportConsumer;
  readonly reconciler: ServerReconciler;
  readonly news: ServerNews;
  readonly flows: AnyFlow[];
  /** What agents call. */
  readonly service: ReturnType<typeof nodesService>;
  /** Commands are lost while it says so. */
  losesCommands: () => boolean = () => false;
  busSince: Date | undefined = new Date(0);
  /** How far the worker's clock runs ahead. */
  aheadMs = 0;
  #runner: FlowRunner | undefined;
  #closed = false;
  readonly #saying = new Set<Promise<void>>();

  private constructor(private readonly scratch: ScratchDatabase) {
    this.db = scratch.db;
    const { db, placement, network, servers, log } = this;
    const { nodes, states, aims, reports, standings } = this.repos;
    const now = () => this.now();
    const send: SendCommand = async (node, command) => {
      if (!this.losesCommands()) setImmediate(() => this.nodes.get(node)?.command(command));
    };
    const providers = new ProviderSync({
      db,
      nodes,
      states,
      aggregates: new AggregateRepo(),
      placement,
      options: OPTIONS,
      now,
    });
    const busSince = () => this.busSince;
    const silenceMs = OPTIONS.silenceMs;
    this.watch = new NodeWatch({ db, nodes, states, aims, providers, send, silenceMs, busSince, now, log });
    this.reconciler = new ServerReconciler({ db, servers, aims, standings, send, ids: randomIds, now, log });
    const fences = new FenceKeeper(db, log);
    this.news = new ServerNews(db, aims, send);
    const { watch, reconciler } = this;
    const hearing = new Hearing();
    const ears = { db, reports, watch, fences, servers: reconciler, hearing, send, now, log };
    this.consumer = new ReportConsumer(ears);
    const { images } = this;
    const declare = async () => undefined;
    const enrolment = new Enrolment({ db, nodes, watch, declare, send, heartbeatMs: OPTIONS.heartbeatMs, now });
    this.service = nodesService({
      ...{ db, specs: new SpecRepo(SEAL), aims, passwords: this.passwords, network, images, enrolment },
    });
    const pursuit = new Pursuit(db, aims, send, hearing);
    const { shelvedOffloadS } = OPTIONS;
    this.flows = computeFlows({
      ...{
        db,
        placement,
        network,
        images,
        servers,
        groups: new ServerGroupRepo(),
        pulses: new NodePulseRepo(),
        aims,
        nodes: states,
        nodeBook: nodes,
        agentOf: ({ name }) => ({ holdImage: async (request) => this.nodes.get(name)!.holdImage(request) }),
        reports,
        pursuit,
        shelvedOffloadS,
      },
    });
  }

  static async open(): Promise<Testbed> {
    const bed = new Testbed(await scratchDatabase([flowMigrations, computeMigrations]));
    await bed.watch.start();
    return bed;
  }

  async close(): Promise<void> {
    await this.#runner?.stop(0);
    await this.watch.stop();
    this.#closed = true;
    await Promise.allSettled(this.#saying);
    await this.scratch.drop();
  }

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  flow(kind: string): AnyFlow {
    return this.flows.find((flow) => flow.kind === kind)!;
  }

  /** Runs all flows. */
  async run(probe?: Probe): Promise<void> {
    const more = probe ? { probe } : {};
    this.#runner = new FlowRunner({ db: this.db, flows: this.flows, owner: 'test', scanMs: 100, ...more });
    await this.#runner.start();
  }

  async halt(): Promise<void> {
    await this.#runner?.stop(0);
  }

  /** The node falls silent and goes down; all others beat. */
  async fallSilent(node: FakeNode): Promise<void> {
    node.dead = true;
    await delay(5);
    this.aheadMs += OPTIONS.silenceMs + 1_000;
    for (const other of this.nodes.values()) await other.beat();
    await this.until(async () => (await this.stateOf(node.name)) === 'down' && !this.isOpen(node.name));
  }

  /** A node that has enrolled and is up. */
  async node(name: string, memoryMb = 4096): Promise<FakeNode> {
    const peer = { name, requestId: '' };
    const node = new FakeNode({
      name,
      getSpec: async (serverId) => this.service.getSpec({ serverId, node: '' }, peer) as Promise<computeV1.ServerSpec>,
      newsKept: async (serverId, news) => {
        await this.service.newsKept({ serverId, node: '', news }, peer);
      },
      publish: (report) => this.say(report),
      upload: (url) => this.images.upload(url),
    });
    this.nodes.set(name, node);
    await this.service.enrol(enrolRequest(name, memoryMb), peer);
    await this.until(async () => (await this.stateOf(name)) === 'up' && this.isOpen(name));
    return node;
  }

  isOpen(node: string): boolean {
    return [...this.placement.providers.values()].some((provider) => provider.name === node && !provider.disabled);
  }

  /** As the broker would deliver it. */
  async say(report: NodeReport, userId = `agent-${report.node}`, routingKey = report.node): Promise<void> {
    if (this.#closed) return;
    const body: unknown = JSON.parse(JSON.stringify(report));
    const saying = this.consumer.handle({ body, userId, routingKey, requestId: 'req-test' });
    this.#saying.add(saying);
    await saying.finally(() => this.#saying.delete(saying));
  }

  async stateOf(node: string): Promise<string | undefined> {
    return (await this.repos.nodes.find(this.db, node))?.state;
  }

  /** What the api does for a tenant: rows, quota and task. */
  async prepareCreate(memoryMb = 512): Promise<NewTask<ServerCreateInput>> {
    const { server, input } = newServer(memoryMb);
    await this.db.tx(async (tx) => {
      await tx.exec(
        `insert into quota_usage values ($1, 1, 1, $2) on conflict (project_id)
           do update set instances = quota_usage.instances + 1, cores = quota_usage.cores + 1, ram = quota_usage.ram + $2`,
        [server.projectId, memoryMb],
      );
      await this.servers.insert(tx, server, this.now());
    });
    const { projectId, userId } = server;
    return { id: randomUUID(), kind: SERVER_CREATE, key: serverKey(server.id), projectId, userId, input };
  }

  /** Starts a create; returns the server's id. */
  async create(memoryMb = 512): Promise<string> {
    const task = await this.prepareCreate(memoryMb);
    await this.insert(task);
    return task.input.serverId;
  }

  insert(task: NewTask): Promise<unknown> {
    return this.db.tx((tx) => insertTask(tx, task));
  }

  /** What the tests' project is recorded to use. */
  usage(): Promise<unknown> {
    return this.db.one(`select instances, cores, ram from quota_usage where project_id = 'p1'`);
  }

  /** As the api asks for a change of power. */
  async change(serverId: string, kind: string, move: MoveName, reboot?: RebootKind): Promise<void> {
    await this.db.tx(async (tx) => {
      const moved = await this.servers.move(tx, serverId, move, this.now(), reboot ? { reboot } : {});
      if (!moved) throw fail.conflict('not now');
      const { generation, rebootCount } = moved;
      const input = { serverId, generation, rebootCount, kind: reboot };
      await insertTask(tx, { id: randomUUID(), kind, key: serverKey(serverId), input });
    });
  }

  /** As the api reboots hard what something else is done with. */
  async overtake(serverId: string): Promise<void> {
    const key = serverKey(serverId);
    await this.db.tx(async (tx) => {
      const moved = await this.servers.move(tx, serverId, 'rebootHard', this.now(), { reboot: 'HARD' });
      if (!moved) throw fail.conflict('not now');
      await requestCancel(tx, key);
      const { generation, rebootCount } = moved;
      const input = { serverId, generation, rebootCount, kind: 'HARD' };
      await insertTask(tx, { id: randomUUID(), kind: SERVER_REBOOT, key, input, queue: true });
    });
  }

  /** As the api deletes. */
  async delete(serverId: string): Promise<void> {
    const key = serverKey(serverId);
    await this.db.tx(async (tx) => {
      if (!(await this.servers.move(tx, serverId, 'remove', this.now()))) throw fail.notFound('gone');
      await withdrawWaiting(tx, key, 'the server is deleted');
      await requestCancel(tx, key);
      await insertTask(tx, { id: randomUUID(), kind: SERVER_DELETE, key, input: { serverId }, queue: true });
    });
  }

  /** What the one node that holds the server makes of it. */
  guest(id: string): Held {
    const holding = [...this.nodes.values()].flatMap((node) => node.held.get(id) ?? []);
    const [only] = holding.filter((held) => held.power !== 'absent');
    if (!only) throw new Error(`no node has server ${id}`);
    return only;
  }

  server(id: string): Promise<Server | undefined> {
    return this.servers.find(this.db, id);
  }

  async active(memoryMb = 512): Promise<string> {
    const id = await this.create(memoryMb);
    await this.until(async () => (await this.server(id))?.vmState === 'active');
    return id;
  }

  async tasksOf(serverId: string): ReturnType<typeof taskHistory> {
    return taskHistory(this.db, { key: serverKey(serverId) });
  }

  /** Nothing is at work on the server any more. */
  async settled(serverId: string): Promise<void> {
    await this.until(async () =>
      (await this.tasksOf(serverId)).every((task) => !['running', 'queued'].includes(task.state)),
    );
  }

  async until(holds: () => Promise<boolean> | boolean, ms = 15_000): Promise<void> {
    const end = performance.now() + ms;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`not within ${ms} ms: ${holds.toString()}`);
      await delay(10);
    }
  }

  /** What is left of a server that should have left nothing. */
  async remains(serverId: string): Promise<string[]> {
    const left: string[] = [];
    const claim = this.placement.claimOf(serverId);
    if (claim) left.push(`a claim on ${claim}`);
    const host = this.network.hostOf(serverId);
    if (host !== undefined) left.push(`ports on ${host}`);
    for (const node of this.nodes.values()) if (node.guests.includes(serverId)) left.push(`a guest on ${node.name}`);
    const aims = await this.db.query<{ node: string }>('select node from server_node where server_id = $1', [serverId]);
    left.push(...aims.map(({ node }) => `a desired state on ${node}`));
    return left;
  }

  /** What is wrong about a server that should run. */
  async running(serverId: string): Promise<string[]> {
    const server = await this.server(serverId);
    const host = server?.host ?? '';
    const wrong: string[] = [];
    if (server?.vmState !== 'active' || server.taskState !== null)
      wrong.push(`it is ${server?.vmState}/${server?.taskState}`);
    if (this.placement.claimOf(serverId) !== host) wrong.push(`it is on ${host}, its claim elsewhere`);
    if (this.network.hostOf(serverId) !== host) wrong.push(`it is on ${host}, its ports elsewhere`);
    for (const node of this.nodes.values())
      if (node.guests.includes(serverId) !== (node.name === host)) wrong.push(`the guest on ${node.name} is wrong`);
    return wrong;
  }
}

const enrolRequest = (node: string, memoryMb: number): computeV1.EnrolRequest => ({
  ...{
    node,
    hypervisorType: 'fake',
    hypervisorVersion: 1,
    accel: 'fake',
    accelReason: '',
    vcpus: 8,
    memoryMb,
    diskGb: 100,
  },
  ...{
    address: '127.0.0.1',
    agentGrpc: '127.0.0.1:1',
    cpuInfo: '{}',
    traits: [],
    agentVersion: '1',
    hypervisorId: randomUUID(),
  },
  availabilityZone: '',
});
