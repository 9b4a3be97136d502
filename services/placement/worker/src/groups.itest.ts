/** Groups of servers under parallel claims of two processes: the rules hold at every moment, whatever comes together. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isFailure, systemClock } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import {
  BooksRepo,
  type ClaimAnswer,
  ClaimRepo,
  ProviderRepo,
  PulseRepo,
  placementMigrations,
  SnapshotKeeper,
} from '#services/placement/data';
import { type GroupPolicy, type GroupRule, withDefaults } from '#services/placement/domain';
import { Pulses } from './pulses.js';
import { Scheduler, type ServerRequest } from './scheduler.js';

let scratch: ScratchDatabase;
let db: Db;
let other: Db;
let schedulers: readonly Scheduler[];
beforeAll(async () => {
  scratch = await scratchDatabase([placementMigrations], { poolSize: 12 });
  db = scratch.db;
  other = await scratch.open({ poolSize: 12 });
});
afterAll(() => scratch.drop());
beforeEach(async () => {
  await db.exec('truncate provider, provider_gone, consumer, allocation, consumer_fence, claim_group, event cascade');
  schedulers = [db, other].map(
    (on) =>
      new Scheduler({
        ...{ claims: new ClaimRepo(on), keeper: new SnapshotKeeper(on), clock: systemClock, random: Math.random },
        pulses: new Pulses(new PulseRepo(on), systemClock),
      }),
  );
});

async function nodes(count: number, vcpus: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const inventories = { VCPU: withDefaults({ total: vcpus }) };
  for (const [index, id] of ids.entries()) {
    const node = { id, name: `n${index}`, inventories, traits: [], disabledReason: null, zone: 'nova' };
    await new ProviderRepo(db).ensureNode(node);
  }
  return ids;
}
const groupOf = (policy: GroupPolicy, maxPerHost = 0): GroupRule => ({ id: randomUUID(), policy, maxPerHost });
const request = (more: Partial<ServerRequest>): ServerRequest => ({
  ...{ consumerId: randomUUID(), pair: { fence: 1, seq: 1 }, projectId: 'p', userId: 'u', resources: { VCPU: 1 } },
  ...more,
});
const any = (): Scheduler => schedulers[Math.random() < 0.5 ? 0 : 1]!;
const nodeOf = (answer: ClaimAnswer): string | undefined => ('claimed' in answer ? answer.claimed.id : undefined);
const summaryIn = (answer: ClaimAnswer): string | undefined => ('claimed' in answer ? undefined : answer.summary);

describe('parallel claims of one group', () => {
  it('never end on one node where it is to be apart', async () => {
    await nodes(6, 50);
    const group = groupOf('anti-affinity');
    const answers = await Promise.all(Array.from({ length: 20 }, () => any().claim(request({ group }))));
    const taken = answers.map(nodeOf).filter((id) => id !== undefined);
    expect([taken.length, new Set(taken).size]).toEqual([6, 6]);
    expect(answers.map(summaryIn).find(Boolean)).toBe('6 nodes have a server of its group already');
  });

  it('put as many on a node as its rule says, and not one more', async () => {
    await nodes(3, 50);
    const group = groupOf('anti-affinity', 2);
    const answers = await Promise.all(Array.from({ length: 12 }, () => any().claim(request({ group }))));
    const taken = answers.map(nodeOf).filter((id) => id !== undefined);
    expect([...Map.groupBy(taken, (id) => id).values()].map((ids) => ids.length)).toEqual([2, 2, 2]);
  });

  it('all end on one node where it is to be together, as long as there is room', async () => {
    await nodes(5, 8);
    const group = groupOf('affinity');
    const answers = await Promise.all(Array.from({ length: 12 }, () => any().claim(request({ group }))));
    const taken = answers.map(nodeOf).filter((id) => id !== undefined);
    expect([taken.length, new Set(taken).size]).toEqual([8, 1]);
    expect(answers.map(summaryIn).find(Boolean)).toBe('1 node lacks 1 VCPU; 4 are apart from the rest of its group');
  });

  it('spread or gather where it is soft, and find a place in any case', async () => {
    await nodes(4, 6);
    const apart = groupOf('soft-anti-affinity');
    const spread = await Promise.all(Array.from({ length: 8 }, () => any().claim(request({ group: apart }))));
    expect([...Map.groupBy(spread, nodeOf).values()].map((each) => each.length)).toEqual([2, 2, 2, 2]);
    const near = groupOf('soft-affinity');
    const gathered = await Promise.all(Array.from({ length: 8 }, () => any().claim(request({ group: near }))));
    const sizes = [...Map.groupBy(gathered, nodeOf).values()].map((each) => each.length);
    expect(sizes.sort()).toEqual([4, 4]);
  });
});

it('a server that leaves makes room for another of its group, and one that stays keeps its seat', async () => {
  await nodes(1, 9);
  const group = groupOf('anti-affinity');
  const first = request({ group });
  const held = nodeOf(await any().claim(first));
  await schedulers[0]!.claim({ ...first, pair: { fence: 2, seq: 1 } });
  await schedulers[0]!.claim(request({ ...first, pair: { fence: 2, seq: 2 }, resources: { VCPU: 2 }, inPlace: true }));
  expect(nodeOf(await any().claim(request({ group })))).toBeUndefined();
  await any().release(first.consumerId, { fence: 3, seq: 1 });
  expect(nodeOf(await any().claim(request({ group })))).toBe(held);
});

const BROKEN = `select c.group_id, count(*) from consumer c join allocation a on a.consumer_id = c.id where c.group_id = any ($1::uuid[])
  group by c.group_id, case when c.group_id = any ($2::uuid[]) then a.provider_id end
  having count(*) > case when c.group_id = any ($2::uuid[]) then $3::int else 1000 end or count(distinct a.provider_id) > 1`;

it('keeps every rule and every capacity through claims, moves, releases and growth at random', async () => {
  const ids = await nodes(8, 10);
  const groups = [
    ...Array.from({ length: 3 }, () => groupOf('anti-affinity', 2)),
    ...Array.from({ length: 3 }, () => groupOf('affinity')),
    groupOf('soft-anti-affinity'),
  ];
  const hard = groups.slice(0, 6).map(({ id }) => id);
  const apart = groups.slice(0, 3).map(({ id }) => id);
  const members = Array.from({ length: 40 }, (_, i) => ({ id: randomUUID(), group: groups[i % groups.length]! }));
  let fence = 0;
  const unexpected: unknown[] = [];
  const outcomes = { claimed: 0, refused: 0 };
  const act = async (): Promise<void> => {
    const { id: consumerId, group } = members[Math.floor(Math.random() * members.length)]!;
    const pair = { fence: ++fence, seq: 1 };
    const dice = Math.random();
    if (dice < 0.25) return any().release(consumerId, pair);
    const wish = request({ consumerId, pair, group, resources: { VCPU: 1 + Math.floor(Math.random() * 3) } });
    const away = { excludeIds: [ids[Math.floor(Math.random() * ids.length)]!] };
    const answer = await any().claim(dice < 0.4 ? { ...wish, inPlace: true } : { ...wish, ...away });
    outcomes['claimed' in answer ? 'claimed' : 'refused'] += 1;
  };
  const actor = async (): Promise<void> => {
    for (let n = 0; n < 40; n += 1)
      await act().catch((error: unknown) => {
        if (!isFailure(error, 'fenced')) unexpected.push(error);
      });
  };
  let acting = true;
  let looks = 0;
  const watcher = async (): Promise<void> => {
    while (acting) {
      const broken = await db.query(BROKEN, [hard, apart, 2]);
      const over = await db.query(`select name, used from provider where (used ->> 'VCPU')::int > 10`);
      expect([broken, over]).toEqual([[], []]);
      looks += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const watching = watcher();
  await Promise.all(Array.from({ length: 16 }, actor)).finally(() => {
    acting = false;
  });
  await watching;
  expect(unexpected).toEqual([]);
  expect(outcomes.claimed).toBeGreaterThan(50);
  expect(outcomes.refused).toBeGreaterThan(20);
  expect(looks).toBeGreaterThan(10);
  expect(await new BooksRepo(db).mismatches()).toEqual([]);
}, 60_000);
