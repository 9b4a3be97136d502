/** What compute tells of its nodes, and what becomes of it in a choice. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import {
  BooksRepo,
  ClaimRepo,
  type NodeDescription,
  ProviderRepo,
  PulseRepo,
  placementMigrations,
  SnapshotKeeper,
} from '#services/placement/data';
import { NO_PROFILE, withDefaults } from '#services/placement/domain';
import { Pulses } from './pulses.js';
import { Scheduler, type ServerRequest } from './scheduler.js';

let scratch: ScratchDatabase;
let db: Db;
let providers: ProviderRepo;
let scheduler: Scheduler;
beforeAll(async () => {
  scratch = await scratchDatabase([placementMigrations]);
  db = scratch.db;
  providers = new ProviderRepo(db);
});
afterAll(() => scratch.drop());
beforeEach(async () => {
  await db.exec('truncate provider, provider_gone, consumer, allocation, consumer_fence, pulse, event cascade');
  scheduler = new Scheduler({
    ...{ claims: new ClaimRepo(db), keeper: new SnapshotKeeper(db), clock: systemClock, random: Math.random },
    pulses: new Pulses(new PulseRepo(db), systemClock),
  });
});

async function node(name: string, more: Partial<NodeDescription> = {}): Promise<string> {
  const id = randomUUID();
  const inventories = { VCPU: withDefaults({ total: 4 }), MEMORY_MB: withDefaults({ total: 2048 }) };
  await providers.ensureNode({ id, name, inventories, traits: [], disabledReason: null, zone: 'nova', ...more });
  return id;
}
const request = (more: Partial<ServerRequest> = {}): ServerRequest => ({
  ...{ consumerId: randomUUID(), pair: { fence: 1, seq: 1 }, projectId: 'p', userId: 'u' },
  resources: { VCPU: 1, MEMORY_MB: 512 },
  ...more,
});
const claimed = async (more: Partial<ServerRequest> = {}): Promise<string> => {
  const answer = await scheduler.claim(request(more));
  return 'claimed' in answer ? answer.claimed.name : (answer.summary ?? '');
};

it("compute's aggregates come and go beside the operator's own", async () => {
  const [own, first, second] = [randomUUID(), randomUUID(), randomUUID()];
  const id = await node('a', { aggregates: [first] });
  const aggregates = async () => [...(await providers.find(id))!.aggregates].sort();
  await providers.change(id, undefined, { aggregates: [first, own] });
  const described = { id, name: 'a', inventories: {}, traits: [], disabledReason: null, zone: 'nova' };
  const generation = await providers.ensureNode({ ...described, aggregates: [second] });
  expect(await aggregates()).toEqual([own, second].sort());
  expect(await providers.ensureNode({ ...described, aggregates: [second] })).toBe(generation);
  await providers.change(id, undefined, { aggregates: [own] });
  await providers.ensureNode({ ...described, aggregates: [second] });
  expect(await aggregates()).toEqual([own, second].sort());
  await providers.ensureNode({ ...described, aggregates: [] });
  expect(await aggregates()).toEqual([own]);
});

it('nodes are kept for projects and images, and asked for by flavors', async () => {
  await node('plain');
  await node('kept', { profile: { ...NO_PROFILE, labels: { filter_tenant_id: ['q'], ssd: ['true'] } } });
  const ssd = { extraSpecs: { 'aggregate_instance_extra_specs:ssd': 'true' } };
  for (let i = 0; i < 3; i += 1) expect(await claimed()).toBe('plain');
  expect(await claimed({ projectId: 'q', ...ssd })).toBe('kept');
  expect(await claimed(ssd)).toBe('1 node is reserved for other projects; 1 is not in an aggregate with ssd true');
});

it('a node that fails builds stops attracting servers, until one has started there', async () => {
  const [bad] = [await node('bad'), await node('good')];
  const pulses = new PulseRepo(db);
  await pulses.write([
    { providerId: bad, load: 0, failures: 2, failedAt: new Date() },
    { providerId: randomUUID(), load: 0, failures: 0, failedAt: null },
  ]);
  expect((await pulses.read()).size).toBe(1);
  expect([await claimed(), await claimed(), await claimed()]).toEqual(['good', 'good', 'good']);
  await pulses.write([{ providerId: bad, load: 0, failures: 0, failedAt: null }]);
  expect((await pulses.read()).get(bad)).toEqual({ load: 0, failures: 0, failedAt: null });
});

it('a refusal counts nodes for the tenant, and tells the operator of each', async () => {
  await node('a', { inventories: { VCPU: withDefaults({ total: 4 }), MEMORY_MB: withDefaults({ total: 256 }) } });
  await node('b', { inventories: { VCPU: withDefaults({ total: 4 }), MEMORY_MB: withDefaults({ total: 256 }) } });
  await node('c', { disabledReason: 'maintenance' });
  const ask = request();
  const answer = await scheduler.claim(ask);
  const summary = '2 nodes lack 256 MB of memory; 1 is disabled: maintenance';
  expect(answer).toMatchObject({ summary });
  const [event] = await new BooksRepo(db).events(ask.consumerId);
  expect(event).toMatchObject({ what: 'claim', outcome: 'refused' });
  expect(event?.detail.split('\n')).toEqual([
    summary,
    'a: needs 512 MB of memory, 256 MB free',
    'b: needs 512 MB of memory, 256 MB free',
    'c: is disabled: maintenance',
  ]);
});
