import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { computeV1, type NodeReport } from '#libs/contract';
import { FakeDriver } from '../driver/fake.js';
import { Ledger } from '../fence/ledger.js';
import { AgentNode } from './agent-node.js';

const A = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';

let folder: string;
let node: AgentNode;
let reports: NodeReport[] = [];
let done: string[] = [];
let fault: Error | undefined;
let spec: computeV1.ServerSpec | undefined;

/** Another life of the same agent, on the same folder. */
async function boot(): Promise<void> {
  const driver = new FakeDriver({
    journal: join(folder, 'domains'),
    delays: { startMs: 1, stopMs: 1, destroyMs: 1 },
    fault: (step) => {
      if (step === 'interrupt' || step === 'password') done.push(step);
      return step === 'interrupt' ? fault : undefined;
    },
  });
  const ledger = await Ledger.open(join(folder, 'fences'), false);
  const compute = {
    getSpec: async () => spec,
    listDesired: async () => [],
    newsKept: async () => undefined,
    postPassword: async () => undefined,
    diskKeys: async () => ({}),
  };
  const publish = async (report: NodeReport) => void reports.push(report);
  const log = pino({ level: 'silent' });
  node = new AgentNode({ name: 'node-1', driver, ledger, compute, reports: { publish }, log, patienceMs: 400 });
  await node.start();
}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-errand-'));
  [reports, done, fault] = [[], [], undefined];
  await boot();
});
afterEach(async () => {
  await node.stop();
  rmSync(folder, { recursive: true });
});

async function want(fence: number, part: Partial<computeV1.ServerSpec>): Promise<NodeReport> {
  const base = { serverId: A, power: 'running', vcpus: 1, memoryMb: 64, diskEpoch: 0 };
  spec = computeV1.ServerSpec.fromPartial({ ...base, fence, seq: 1, generation: fence, ...part });
  await node.command({ type: 'ensure', serverId: A, fence, seq: 1, generation: fence });
  const ended = () => reports.findLast((one) => one.type === 'server' && one.fence === fence && one.outcome !== 'busy');
  await vi.waitFor(() => expect(ended()).toBeDefined(), 5_000);
  return ended()!;
}
const interrupt = { kind: 'interrupt', user: '', password: '' };

it('is done once the guest is as it should be, and no more when it is asked about again', async () => {
  expect(await want(1, { errand: { kind: 'password', user: 'root', password: 'x' } })).toMatchObject({
    outcome: 'done',
  });
  expect(await want(2, { errand: interrupt })).toMatchObject({ outcome: 'done', power: 'running' });
  await node.command({ type: 'ensure', serverId: A, fence: 2, seq: 1, generation: 2 });
  expect(done).toEqual(['password', 'interrupt']);
  expect(await want(3, { errand: interrupt })).toMatchObject({ outcome: 'done' });
  expect(done).toEqual(['password', 'interrupt', 'interrupt']);
});

it('is no secret in what the agent keeps and reports', async () => {
  await want(1, { errand: { kind: 'password', user: 'root', password: 'canary' } });
  expect(JSON.stringify(reports)).not.toContain('canary');
  for (const file of readdirSync(folder)) expect(readFileSync(join(folder, file), 'latin1')).not.toContain('canary');
});

it('fails with a reason where no guest runs, and where it is not known', async () => {
  expect(await want(1, { power: 'stopped', errand: interrupt })).toMatchObject({
    ...{ outcome: 'failed', error: 'its guest does not run' },
  });
  expect(await want(2, { errand: { kind: 'dance', user: '', password: '' } })).toMatchObject({ outcome: 'failed' });
});

it('sends no interrupt a second time when the agent dies while it sends one', async () => {
  await want(1, {});
  fault = new Error('killed');
  const base = { serverId: A, power: 'running', vcpus: 1, memoryMb: 64, fence: 2, seq: 1, generation: 2 };
  spec = computeV1.ServerSpec.fromPartial({ ...base, errand: interrupt });
  await node.command({ type: 'ensure', serverId: A, fence: 2, seq: 1, generation: 2 });
  await vi.waitFor(() => expect(done).toEqual(['interrupt']));
  await node.stop();
  // The record of the end is lost with the agent.
  const ledger = await Ledger.open(join(folder, 'fences'), false);
  await ledger.put({ ...ledger.get(A)!, phase: 'busy' });
  await ledger.close();
  fault = undefined;
  await boot();
  await vi.waitFor(() => expect(reports.at(-1)).toMatchObject({ fence: 2, outcome: 'done' }), 5_000);
  expect(done).toEqual(['interrupt']);
});
