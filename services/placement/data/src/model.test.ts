/**
 * Placement's books under operations at random, in memory: the invariants after each, and the providers of the domain, whose
 * sums are counted along as the database counts them, against the model's, which are added up anew.
 *
 * YAGURA_MODEL_OPERATIONS: how many (default: 30,000); YAGURA_MODEL_SEED: which.
 */
import { expect, it } from 'vitest';
import { type Amounts, NO_PROFILE, Provider, Snapshot, selectNodes } from '#services/placement/domain';
import { wrongEnds, wrongSteps, wrongs } from '../fixtures/invariants.js';
import { apply, EMPTY, type Model, type Operation, said, usedOf } from '../fixtures/model.js';
import { anyOperation, Dice } from '../fixtures/operations.js';

const OPERATIONS = Number(process.env['YAGURA_MODEL_OPERATIONS'] ?? 30_000);
const SEED = Number(process.env['YAGURA_MODEL_SEED'] ?? 20_261_126);

function providerOf(model: Model, id: string, used: Amounts): Provider {
  const { generation, parentId, inventories, isNode, disabled } = model.providers.get(id)!;
  return new Provider({
    ...{
      id,
      name: id,
      generation,
      parentId,
      rootId: id,
      inventories,
      used,
      isNode,
      disabledReason: disabled ? 'off' : null,
    },
    ...{ traits: [], aggregates: [], zone: '', profile: NO_PROFILE, updatedAt: new Date(0) },
  });
}

/** The domain's snapshot after the step: what changed of each consumer is added to what was counted before. */
function followed(snapshot: Snapshot, before: Model, after: Model): Snapshot {
  const used = new Map<string, Record<string, number>>();
  const add = (held: ReadonlyMap<string, Amounts> | undefined, sign: 1 | -1): void => {
    for (const [id, amounts] of held ?? []) {
      const counted = used.get(id) ?? { ...snapshot.find(id)?.facts.used };
      for (const [name, amount] of Object.entries(amounts)) counted[name] = (counted[name] ?? 0) + sign * amount;
      used.set(id, counted);
    }
  };
  for (const id of new Set([...before.consumers.keys(), ...after.consumers.keys()])) {
    const [was, is] = [before.consumers.get(id), after.consumers.get(id)];
    if (was === is) continue;
    add(was?.held, -1);
    add(is?.held, 1);
  }
  const changed = [...after.providers].filter(([id, provider]) => before.providers.get(id) !== provider);
  const gone = [...before.providers.keys()].filter((id) => !after.providers.has(id));
  return snapshot.with(
    changed.map(([id]) => providerOf(after, id, used.get(id) ?? snapshot.find(id)?.facts.used ?? {})),
    gone,
  );
}

/** Whether the domain would choose that node for it. */
const wouldChoose = (snapshot: Snapshot, providerId: string, resources: Amounts): boolean =>
  selectNodes(snapshot, { resources, onlyName: providerId }, { random: () => 0 }).ranked.length === 1;

function sumsDiffer(snapshot: Snapshot, model: Model): string[] {
  if (snapshot.size !== model.providers.size) return [`${snapshot.size} providers, not ${model.providers.size}`];
  return [...model.providers].flatMap(([id, { generation, inventories }]) => {
    const facts = snapshot.find(id)?.facts;
    const same = facts?.generation === generation && said(facts.inventories) === said(inventories);
    const sums = Object.keys(inventories).filter((name) => (facts?.used[name] ?? 0) !== usedOf(model, id, name));
    return [
      ...(same ? [] : [`${id} is not as it should be`]),
      ...sums.map((name) => `${id} has another sum of ${name}`),
    ];
  });
}

const digest = (model: Model): string =>
  JSON.stringify([
    [...model.providers],
    [...model.consumers].map(([id, { generation, held }]) => [id, generation, [...held]]),
    [...model.pairs],
  ]);

it('the books are right after each of very many operations', { timeout: 900_000 }, () => {
  const dice = new Dice(SEED);
  const outcomes = new Map<string, number>();
  let model = EMPTY;
  let snapshot = Snapshot.of([]);
  for (let n = 0; n < OPERATIONS; n += 1) {
    const operation = anyOperation(dice, model);
    const checksDigest = n % 16 === 0;
    const before = checksDigest ? digest(model) : '';
    const next = apply(model, operation);
    const found = [...wrongs(next.model), ...wrongSteps(model, next.model)];
    found.push(...wrongEnds(next.model, operation, next.outcome));
    if (checksDigest && digest(model) !== before) found.push('the state before was changed');
    found.push(...choiceDiffers(snapshot, model, operation, next.outcome));
    snapshot = followed(snapshot, model, next.model);
    found.push(...sumsDiffer(snapshot, next.model));
    if (found.length) expect({ seed: SEED, n, operation, outcome: next.outcome, found }).toEqual({});
    model = next.model;
    const key = `${operation.kind} ${next.outcome}`;
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  }
  // Each kind both succeeds and fails, or little was tried.
  const kinds = ['create', 'remove', 'move', 'offer', 'write', 'reshape', 'claim', 'release'];
  for (const kind of kinds) expect([kind, outcomes.get(`${kind} ok`) ?? 0]).not.toEqual([kind, 0]);
  for (const refusal of ['write conflict', 'claim refused', 'claim fenced', 'claim repeated', 'reshape conflict'])
    expect([refusal, outcomes.get(refusal) ?? 0]).not.toEqual([refusal, 0]);
});

/** A claim for a consumer that holds nothing is granted where the domain would choose the node, and nowhere else. */
function choiceDiffers(snapshot: Snapshot, model: Model, operation: Operation, outcome: string): string[] {
  if (operation.kind !== 'claim' || model.consumers.has(operation.consumerId)) return [];
  if (outcome !== 'ok' && outcome !== 'refused') return [];
  const chosen = wouldChoose(snapshot, operation.providerId, operation.resources);
  return chosen === (outcome === 'ok') ? [] : [`the domain ${chosen ? 'would' : 'would not'} choose it`];
}
