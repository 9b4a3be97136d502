/**
 * Placement's books in a real database under operations at random: each is answered as the model answers it, and leaves what
 * the model leaves; the snapshot that is kept beside it says the same.
 *
 * YAGURA_MODEL_OPERATIONS: how many (default: 600); YAGURA_MODEL_SEED: which.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import type { Snapshot } from '#services/placement/domain';
import { wrongs } from '../fixtures/invariants.js';
import { apply, EMPTY, lineOf, type Model, said, usedOf } from '../fixtures/model.js';
import { ModelDatabase } from '../fixtures/model-database.js';
import { anyOperation, Dice } from '../fixtures/operations.js';
import { placementMigrations, SnapshotKeeper } from './index.js';

const OPERATIONS = Number(process.env['YAGURA_MODEL_OPERATIONS'] ?? 600);
const SEED = Number(process.env['YAGURA_MODEL_SEED'] ?? 20_261_126);

let scratch: ScratchDatabase;
beforeAll(async () => {
  scratch = await scratchDatabase([placementMigrations]);
});
afterAll(() => scratch.drop());

/** In one form, whatever the order in which it was built. */
const plain = ({ providers, consumers, pairs }: Model): unknown => ({
  providers: [...providers]
    .map(([id, { inventories, ...rest }]) => ({ id, ...rest, inventories: said(inventories) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1)),
  consumers: [...consumers].map(([id, { generation, held }]) => [id, generation, [...held].sort()]).sort(),
  pairs: [...pairs].map(([id, { fence, seq }]) => [id, fence, seq]).sort(),
});

const sums = (model: Model, id: string): Record<string, number> =>
  Object.fromEntries(
    Object.keys(model.providers.get(id)!.inventories)
      .map((name) => [name, usedOf(model, id, name)] as const)
      .filter(([, used]) => used > 0),
  );

function expectSnapshot(snapshot: Snapshot, model: Model): void {
  expect(
    snapshot
      .all()
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...model.providers.keys()].sort());
  for (const [id, { generation, parentId }] of model.providers) {
    const { facts } = snapshot.find(id)!;
    expect([facts.generation, facts.parentId, facts.used]).toEqual([generation, parentId, sums(model, id)]);
  }
}

it('the database does and keeps what the model says', { timeout: 1_500_000 }, async () => {
  const dice = new Dice(SEED);
  const database = new ModelDatabase(scratch.db);
  const keeper = new SnapshotKeeper(scratch.db);
  let model = EMPTY;
  for (let n = 0; n < OPERATIONS; n += 1) {
    const operation = anyOperation(dice, model);
    const next = apply(model, operation);
    const about = { seed: SEED, n, operation };
    expect({ ...about, outcome: await database.apply(operation) }).toEqual({ ...about, outcome: next.outcome });
    model = next.model;
    const isRefusal = next.outcome !== 'ok';
    if (!dice.chance(isRefusal ? 0.3 : 0.1)) continue;
    const is = await database.read();
    expect({ ...about, books: plain(is.model) }).toEqual({ ...about, books: plain(model) });
    expect({ ...about, wrong: wrongs(is.model) }).toEqual({ ...about, wrong: [] });
    for (const id of model.providers.keys()) {
      expect([n, id, is.used.get(id)]).toEqual([n, id, sums(model, id)]);
      expect([n, id, is.roots.get(id)]).toEqual([n, id, lineOf(model.providers, id).at(-1)]);
    }
    expectSnapshot(await keeper.fresh(), model);
  }
});
