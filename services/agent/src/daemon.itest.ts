/** The whole daemon on a real broker and over mutual TLS, with compute played by the test. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  agentV1,
  computeV1,
  NODE_COMMAND_EXCHANGE,
  NODE_REPORT_EXCHANGE,
  type NodeReport,
  nodeQueue,
} from '#libs/contract';
import { fail, randomIds } from '#libs/kernel';
import { Bus, type Message } from '#libs/platform/amqp';
import { bind, connectGrpc, serveGrpc } from '#libs/platform/grpc';
import { openLog } from '#libs/platform/log';
import { freePort, makeCertificates } from '#libs/testing';
import { readAgentConfig } from './config.js';
import { type Daemon, startDaemon } from './daemon.js';
import type { ServerReport } from './node/ports.js';

const AMQP = process.env['YAGURA_TEST_AMQP'] ?? 'amqp://yagura:yagura@127.0.0.1:55672/';
const NODE = `node-${randomIds.hex().slice(0, 8)}`;
const SERVER = randomIds.uuid();
const log = openLog('test', 'silent');
const certificates = makeCertificates(['compute', 'stranger', NODE]);
const { folder, of: tls } = certificates;

const specs = new Map<string, computeV1.ServerSpec>();
const enrolled: computeV1.EnrolRequest[] = [];
const reports: Message[] = [];
let stopCompute: () => Promise<void>;
let bus: Bus;
let daemon: Daemon;
let grpcPort: number;
let computePort: number;

async function startCompute(): Promise<void> {
  const service = bind(
    computeV1.NodesService,
    {
      enrol: (request) => {
        enrolled.push(request);
        return { hypervisorId: request.hypervisorId, heartbeatMs: 100 };
      },
      getSpec: ({ serverId, node }) => {
        const spec = specs.get(serverId);
        if (!spec || node !== NODE) throw fail.notFound('no such server');
        return spec;
      },
      listDesired: () => ({ servers: [...specs.values()] }),
      newsKept: () => ({}),
      getDiskKeys: () => ({ keys: {} }),
      postPassword: () => ({}),
    },
    (peer) => peer === NODE,
    log,
  );
  stopCompute = await serveGrpc({ host: '127.0.0.1', port: computePort, tls: tls('compute'), log }, [service]);
}

const startAgent = async (): Promise<void> => {
  const path = join(folder, 'agent.json');
  const options = { driver: 'fake', node: NODE, nodeAddress: '127.0.0.1', delays: { startMs: 20 } };
  const base = { process: 'agent', service: 'agent', tls: tls(NODE), amqp: AMQP, stateDir: join(folder, 'state') };
  const peers = { compute: [`127.0.0.1:${computePort}`] };
  writeFileSync(path, JSON.stringify({ ...base, grpc: { host: '127.0.0.1', port: grpcPort }, peers, options }));
  daemon = await startDaemon(readAgentConfig(path), log);
};

const want = (part: Partial<computeV1.ServerSpec>): void => {
  const before = specs.get(SERVER) ?? { power: 'running', vcpus: 1, memoryMb: 64 };
  specs.set(SERVER, computeV1.ServerSpec.fromPartial({ ...before, serverId: SERVER, ...part }));
};
const send = (fence: number, seq: number, generation: number): Promise<void> =>
  bus.publish(NODE_COMMAND_EXCHANGE, NODE, { type: 'ensure', serverId: SERVER, fence, seq, generation });
const said = (): NodeReport[] => reports.map((one) => one.body as NodeReport);
const hears = (part: Partial<ServerReport>): Promise<void> =>
  vi.waitFor(() => expect(said()).toContainEqual(expect.objectContaining({ type: 'server', ...part })), 10_000);

beforeAll(async () => {
  [grpcPort, computePort] = [await freePort(), await freePort()];
  const queue = `test.${NODE}`;
  bus = new Bus({
    url: AMQP,
    name: 'test',
    log,
    topology: async (channel) => {
      await channel.assertExchange(NODE_COMMAND_EXCHANGE, 'direct', { durable: true });
      await channel.assertExchange(NODE_REPORT_EXCHANGE, 'topic', { durable: true });
      for (const name of [queue, nodeQueue(NODE)]) await channel.assertQueue(name, { durable: false });
      await channel.bindQueue(queue, NODE_REPORT_EXCHANGE, NODE);
      await channel.bindQueue(nodeQueue(NODE), NODE_COMMAND_EXCHANGE, NODE);
    },
    consumers: [{ queue, handle: async (message) => void reports.push(message) }],
  });
  bus.start();
  await startCompute();
  await vi.waitFor(() => expect(bus.connected).toBe(true), 10_000);
  await startAgent();
}, 30_000);

afterAll(async () => {
  await daemon.stop();
  await bus.declare(async (channel) => {
    for (const name of [`test.${NODE}`, nodeQueue(NODE)]) await channel.deleteQueue(name);
  });
  await bus.stop();
  await stopCompute();
  certificates.remove();
});

it('enrols and beats under its own name and its own user', async () => {
  await vi.waitFor(() => expect(said()).toContainEqual(expect.objectContaining({ type: 'beat', node: NODE })), 10_000);
  expect(enrolled[0]).toMatchObject({
    node: NODE,
    hypervisorType: 'fake',
    accel: 'fake',
    agentGrpc: `127.0.0.1:${grpcPort}`,
  });
  expect(reports[0]).toMatchObject({ userId: new URL(AMQP).username, routingKey: NODE });
});

it('obeys the newest command, refuses what comes late, answers what comes twice', async () => {
  want({ generation: 1, fence: 10, seq: 1 });
  await send(10, 1, 1);
  await hears({ outcome: 'done', power: 'running', fence: 10, seq: 1 });
  await send(9, 9, 1);
  await hears({ outcome: 'refused', fence: 9, heldFence: 10 });
  reports.length = 0;
  await send(10, 1, 1);
  await hears({ outcome: 'done', power: 'running', fence: 10, seq: 1 });
});

it('drops what is not a command', async () => {
  await bus.publish(NODE_COMMAND_EXCHANGE, NODE, { type: 'ensure', serverId: SERVER, fence: 'x' });
  await bus.publish(NODE_COMMAND_EXCHANGE, NODE, 'nonsense');
  reports.length = 0;
  await bus.publish(NODE_COMMAND_EXCHANGE, NODE, { type: 'report' });
  await vi.waitFor(() => expect(said()).toContainEqual(expect.objectContaining({ type: 'full' })), 5_000);
});

it('tells compute what is on the node, and nobody else', async () => {
  const at = [`127.0.0.1:${grpcPort}`];
  const compute = connectGrpc(agentV1.NodeService, at, NODE, tls('compute'));
  expect((await compute.consoleLog({ node: NODE, serverId: SERVER, lines: 1 })).output.toString()).toBe(
    'READY boot=1\n',
  );
  expect(await compute.inventory({ node: NODE })).toMatchObject({
    domains: [{ serverId: SERVER, state: 'running', fence: 10 }],
    unknown: [],
    libvirt: 'ok',
  });
  await expect(compute.inventory({ node: 'node-9' })).rejects.toMatchObject({ kind: 'notFound' });
  compute.close();
  const stranger = connectGrpc(agentV1.NodeService, at, NODE, tls('stranger'));
  await expect(stranger.inventory({ node: NODE })).rejects.toMatchObject({ kind: 'forbidden' });
  stranger.close();
});

it('keeps guests and fences over its own restart and the absence of compute, and finds what it missed', async () => {
  await stopCompute();
  await daemon.stop();
  want({ generation: 2, fence: 12, seq: 1, power: 'stopped' });
  await startAgent();
  reports.length = 0;
  await send(10, 1, 1);
  await hears({ outcome: 'done', fence: 10, seq: 1, power: 'running' });
  await send(9, 1, 1);
  await hears({ outcome: 'refused', fence: 9, heldFence: 10, heldSeq: 1 });
  await startCompute();
  await hears({ outcome: 'done', fence: 12, seq: 1, power: 'stopped' });
});
