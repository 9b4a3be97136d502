/**
 * Several at once on placement's books, over two pools as of two processes, each with a view of them that is a moment old: what
 * each is answered is chance, what is left is not. In every second round only consumers come and go, so that nothing may be
 * taken beyond what there was all the time.
 *
 * YAGURA_RIVAL_ROUNDS: how many rounds of 96 operations (default: 8); YAGURA_MODEL_SEED: which.
 */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { withDefaults } from '#services/placement/domain';
import { wrongs } from '../fixtures/invariants.js';
import { apply, capacity, EMPTY, lineOf, type Model, type Operation, usedOf } from '../fixtures/model.js';
import { ModelDatabase } from '../fixtures/model-database.js';
import { anyOperation, Dice, uuid } from '../fixtures/operations.js';
import { placementMigrations, SnapshotKeeper } from './index.js';

const ROUNDS = Number(process.env['YAGURA_RIVAL_ROUNDS'] ?? 8);
const SEED = Number(process.env['YAGURA_MODEL_SEED'] ?? 20_261_126);
const RIVALS = 8;
const EACH = 12;
/** What changes nothing of what there is to be had. */
const OF_CONSUMERS: ReadonlySet<Operation['kind']> = new Set(['write', 'forget', 'claim', 'release']);

let scratch: ScratchDatabase;
let databases: readonly ModelDatabase[];
beforeAll(async () => {
  scratch = await scratchDatabase([placementMigrations], { poolSize: 6 });
  databases = [scratch.db, await scratch.open({ poolSize: 6 })].map((db) => new ModelDatabase(db));
});
beforeEach(async () => {
  await scratch.db.exec('truncate provider, provider_gone, consumer, allocation, consumer_fence, event cascade');
});
afterAll(() => scratch.drop());

function draw(dice: Dice, view: Model, onlyConsumers: boolean): Operation {
  for (;;) {
    const operation = anyOperation(dice, view);
    if (!onlyConsumers || OF_CONSUMERS.has(operation.kind)) return operation;
  }
}

/** One of the rivals: it takes what it did itself into its view, as far as it was done. */
async function rival(database: ModelDatabase, dice: Dice, begun: Model, onlyConsumers: boolean): Promise<Tally> {
  let view = begun;
  const tally: Tally = { done: 0, removed: [] };
  for (let n = 0; n < EACH; n += 1) {
    const operation = draw(dice, view, onlyConsumers);
    if ((await database.apply(operation)) !== 'ok') continue;
    tally.done += 1;
    if (operation.kind === 'remove') tally.removed.push(operation.id);
    view = apply(view, operation).model;
  }
  return tally;
}
interface Tally {
  done: number;
  readonly removed: string[];
}

/** Nothing is taken beyond what there is, unless so much was taken when the round began. */
const oversubscribed = (begun: Model, ended: Model): string[] =>
  [...ended.providers].flatMap(([id, { inventories }]) =>
    Object.entries(inventories)
      .filter(([name, inventory]) => usedOf(ended, id, name) > Math.max(capacity(inventory), usedOf(begun, id, name)))
      .map(([name]) => `${usedOf(ended, id, name)} ${name} are taken of ${id}`),
  );

const steppedBack = (begun: Model, ended: Model, removed: readonly string[]): string[] =>
  [...ended.providers.keys()].filter(
    (id) => !removed.includes(id) && ended.providers.get(id)!.generation < (begun.providers.get(id)?.generation ?? 0),
  );

/** Snapshots are taken while the work goes on: what commits late must not be missed by the next. */
async function keptMeanwhile<T>(keeper: SnapshotKeeper, work: Promise<T>): Promise<T> {
  let over = false;
  const end = work.finally(() => {
    over = true;
  });
  while (!over) await keeper.fresh();
  return end;
}

it('rivals leave the books right', { timeout: 600_000 }, async () => {
  const keeper = new SnapshotKeeper(scratch.db);
  const dice = new Dice(SEED);
  let begun = EMPTY;
  for (let n = 0; n < 40; n += 1) {
    const operation = anyOperation(dice, begun);
    begun = apply(begun, operation).model;
    await databases[0]!.apply(operation);
  }
  let done = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const onlyConsumers = round % 2 === 1;
    const work = Array.from({ length: RIVALS }, (_, n) =>
      rival(databases[n % 2]!, new Dice(SEED + 1 + round * RIVALS + n), begun, onlyConsumers),
    );
    const tallies = await keptMeanwhile(keeper, Promise.all(work));
    done += tallies.reduce((sum, each) => sum + each.done, 0);
    const { model: ended, used, roots } = await databases[0]!.read();
    const about = { seed: SEED, round };
    const found = [...wrongs(ended), ...(onlyConsumers ? oversubscribed(begun, ended) : [])];
    found.push(
      ...steppedBack(
        begun,
        ended,
        tallies.flatMap(({ removed }) => removed),
      ),
    );
    expect({ ...about, found }).toEqual({ ...about, found: [] });
    const snapshot = await keeper.fresh();
    for (const [id, { inventories, generation }] of ended.providers) {
      const sums = Object.keys(inventories).map((name) => [name, usedOf(ended, id, name)] as const);
      const held = Object.fromEntries(sums.filter(([, units]) => units > 0));
      expect({ ...about, id, used: used.get(id) }).toEqual({ ...about, id, used: held });
      expect({ ...about, id, root: roots.get(id) }).toEqual({ ...about, id, root: lineOf(ended.providers, id).at(-1) });
      const { facts } = snapshot.find(id)!;
      expect({ ...about, ...facts }).toMatchObject({ ...about, id, generation, used: held });
    }
    begun = ended;
  }
  expect(done).toBeGreaterThan(ROUNDS * RIVALS);
});

const NODE = uuid(1, 0);
const pair = { fence: 1, seq: 1 };
const one = { providerId: NODE, resources: { VCPU: 1 } };
const claimFor = (consumerId: string, fresh: boolean): Operation => ({
  kind: 'claim',
  fresh,
  consumerId,
  pair,
  ...one,
});
const writeFor = (consumerId: string): Operation => ({
  kind: 'write',
  wishes: [{ consumerId, generation: null, allocations: [{ providerId: NODE, resources: { VCPU: 1, DISK_GB: 1 } }] }],
});

it('all that there is is given, and no more, however many ask for it in whatever way', {
  timeout: 120_000,
}, async () => {
  for (let round = 0; round < 12; round += 1) {
    const inventories = { VCPU: withDefaults({ total: 5 * (round + 1) }), DISK_GB: withDefaults({ total: 1_000 }) };
    await databases[0]!.apply({ kind: 'ensure', id: NODE, inventories, disabled: false });
    const asked = Array.from({ length: 18 }, (_, n) => {
      const id = uuid(4, round * 100 + n);
      return n % 3 === 0 ? writeFor(id) : claimFor(id, n % 3 === 1);
    });
    const outcomes = await Promise.all(asked.map((each, n) => databases[n % 2]!.apply(each)));
    expect([round, outcomes.filter((outcome) => outcome === 'ok').length]).toEqual([round, 5]);
    const { model } = await databases[0]!.read();
    expect([round, usedOf(model, NODE, 'VCPU')]).toEqual([round, 5 * (round + 1)]);
  }
});

it('a consumer that is written to in two ways at once holds what one of them gave it', {
  timeout: 120_000,
}, async () => {
  const inventories = { VCPU: withDefaults({ total: 1_000 }), DISK_GB: withDefaults({ total: 1_000 }) };
  await databases[0]!.apply({ kind: 'ensure', id: NODE, inventories, disabled: false });
  for (let round = 0; round < 40; round += 1) {
    const id = uuid(4, round);
    await Promise.all(
      [claimFor(id, true), writeFor(id), claimFor(id, false)].map((each, n) => databases[n % 2]!.apply(each)),
    );
    const { model, used } = await databases[0]!.read();
    const held = model.consumers.get(id)?.held.get(NODE);
    expect([{ VCPU: 1 }, { VCPU: 1, DISK_GB: 1 }]).toContainEqual(held);
    expect(used.get(NODE)?.['VCPU']).toBe(usedOf(model, NODE, 'VCPU'));
  }
});
