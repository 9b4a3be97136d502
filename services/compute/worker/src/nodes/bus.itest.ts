/** The worker on a real broker: what it declares, what it sends, and whom it hears. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NODE_REPORT_EXCHANGE, nodeQueue } from '#libs/contract';
import { delay, randomIds, systemClock } from '#libs/kernel';
import { Bus, type Message } from '#libs/platform/amqp';
import { flowMigrations, insertTask } from '#libs/platform/flow';
import { openLog } from '#libs/platform/log';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { computeMigrations, NodeRepo, Seal, ServerPasswordRepo, ServerRepo, SpecRepo } from '#services/compute/data';
import { SERVER_CREATE, serverKey } from '#services/compute/domain';
import { FakeImages } from '../testbed/fake-images.fixture.js';
import { FakeNetwork } from '../testbed/fake-network.fixture.js';
import { FakePlacement } from '../testbed/fake-placement.fixture.js';
import { newServer } from '../testbed/new-server.fixture.js';
import { OPTIONS } from '../testbed/testbed.fixture.js';
import { ComputeWorker } from '../worker.js';

const AMQP = process.env['YAGURA_TEST_AMQP'] ?? 'amqp://yagura:yagura@127.0.0.1:55672/';
const log = openLog('test', 'silent');
/** A name of its own: other tests may be on the same broker. */
const NODE = `node-${randomIds.hex().slice(0, 8)}`;

let scratch: ScratchDatabase;
let worker: ComputeWorker;
let agent: Bus;
const commands: Message[] = [];
const placement = new FakePlacement();
const seal = new Seal(Buffer.alloc(32));
const servers = new ServerRepo(seal);
const specs = new SpecRepo(seal);
const passwords = new ServerPasswordRepo(seal);

beforeAll(async () => {
  scratch = await scratchDatabase([flowMigrations, computeMigrations]);
  const { db } = scratch;
  await new NodeRepo().enrol(
    db,
    {
      ...{ name: NODE, hypervisorId: randomIds.uuid(), hypervisorType: 'fake', hypervisorVersion: 1, accel: '' },
      ...{ accelReason: '', vcpus: 8, memoryMb: 8192, diskGb: 100, address: '', agentGrpc: '', agentVersion: '' },
      ...{ cpuInfo: {}, traits: [], availabilityZone: 'nova' },
    },
    new Date(),
  );
  placement.claim = async () => ({
    claimed: { providerId: randomIds.uuid(), providerName: NODE, alternateNames: [] },
    rejections: [],
    summary: '',
  });
  worker = new ComputeWorker({
    ...{ db, servers, specs, passwords, placement, network: new FakeNetwork(), amqp: AMQP, options: OPTIONS },
    images: new FakeImages(),
    agentOf: () => ({
      inventory: () => Promise.reject(new Error('not asked')),
      holdImage: () => Promise.reject(new Error('not asked')),
    }),
    ...{ process: 'compute', version: '1', clock: systemClock, ids: randomIds, log },
  });
  await worker.start();
  agent = new Bus({
    ...{ url: AMQP, name: 'agent', log },
    consumers: [{ queue: nodeQueue(NODE), handle: async (message) => void commands.push(message) }],
  });
  agent.start();
  await until(() => worker.health()['amqp'] === true && agent.connected);
});
afterAll(async () => {
  await agent.declare((channel) => channel.deleteQueue(nodeQueue(NODE)).then(() => undefined));
  await agent.stop();
  await worker.stop(500);
  await scratch.drop();
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('not in time');
    await delay(20);
  }
}

const stateOf = async () => (await new NodeRepo().find(scratch.db, NODE))!.state;
const user = decodeURIComponent(new URL(AMQP).username);
const beat = {
  ...{ type: 'beat', node: NODE, digest: 'x', servers: 0, freeDiskGb: 1, freeMemoryMb: 1, loadAverage: '', uptimeS: 1 },
  ...{ highestFence: 0, atMs: 1 },
};

it('does not hear a node whose sender the broker does not vouch for', async () => {
  await agent.publish(NODE_REPORT_EXCHANGE, NODE, beat);
  await agent.publish(NODE_REPORT_EXCHANGE, NODE, beat, { userId: user });
  await delay(300);
  expect(await stateOf()).toBe('down');
});

it('sends commands to the node alone, without anything that is secret, under the request that asked', async () => {
  const { server, input } = newServer(512);
  const { db } = scratch;
  await db.exec(`update node set state = 'up', told = 'open' where name = $1`, [NODE]);
  const requestId = `req-${randomIds.uuid()}`;
  const id = randomIds.uuid();
  await db.tx(async (tx) => {
    await servers.insert(tx, server, new Date());
    await insertTask(tx, { id, kind: SERVER_CREATE, key: serverKey(server.id), requestId, input });
  });
  await until(() => commands.some((message) => (message.body as { type: string }).type === 'ensure'));
  const command = commands.find((message) => (message.body as { type: string }).type === 'ensure')!;
  expect(command.requestId).toBe(requestId);
  expect(Object.keys(command.body as object).sort()).toEqual(['fence', 'generation', 'seq', 'serverId', 'type']);
});
