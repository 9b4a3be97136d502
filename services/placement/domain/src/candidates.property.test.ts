/** The search for candidates against all that the rules allow, on small clouds of every shape. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { everyCandidate, tell } from '../fixtures/all-candidates.js';
import type { CandidateRequest, RequestGroup } from './candidate-request.js';
import { allocationCandidates } from './candidates.js';
import { withDefaults } from './inventory.js';
import { NO_PROFILE, Provider } from './provider.js';
import { Snapshot } from './snapshot.js';

const CLASSES = ['VCPU', 'MEMORY_MB', 'DISK_GB'] as const;
const TRAITS = ['T', 'U'] as const;
const AGGREGATES = ['x', 'y'] as const;
const MOST = 6;

const some = <T>(values: readonly T[], most = values.length) =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength: most });
const inventory = fc.record({
  total: fc.integer({ min: 1, max: 4 }),
  max_unit: fc.constantFrom(2, 4),
  step_size: fc.constantFrom(1, 1, 2),
  used: fc.nat({ max: 2 }),
});
const place = fc.record({
  parent: fc.option(fc.nat()),
  traits: some(TRAITS),
  shares: fc.constantFrom(false, false, false, true),
  aggregates: some(AGGREGATES),
  offers: fc.array(fc.tuple(fc.constantFrom(...CLASSES), inventory), { maxLength: 3 }),
});

/** A parent stands before its children. */
const cloud = fc.array(place, { minLength: 1, maxLength: MOST }).map((places) => {
  const made: Provider[] = [];
  for (const [index, { parent, traits, shares, aggregates, offers }] of places.entries()) {
    const above = parent === null || index === 0 ? undefined : made[parent % index]!;
    const id = `p${index}`;
    made.push(
      new Provider({
        ...{ id, name: id, generation: 0, parentId: above?.id ?? null, rootId: above?.facts.rootId ?? id, aggregates },
        inventories: Object.fromEntries(offers.map(([name, { used: _, ...given }]) => [name, withDefaults(given)])),
        used: Object.fromEntries(offers.map(([name, { used }]) => [name, used])),
        traits: shares ? [...traits, 'MISC_SHARES_VIA_AGGREGATE'] : traits,
        ...{ isNode: true, disabledReason: null, zone: '', profile: NO_PROFILE, updatedAt: new Date(0) },
      }),
    );
  }
  return made;
});

const amounts = (least: number) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...CLASSES), fc.integer({ min: 1, max: 2 })), {
      ...{ selector: ([name]) => name, minLength: least, maxLength: 2 },
    })
    .map((entries) => Object.fromEntries(entries));
const rarely = <T>(value: fc.Arbitrary<T>, otherwise: T) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary: value });
const anyOf = <T>(values: readonly T[]) =>
  fc.array(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }), { maxLength: 2 });
const groupNamed = (suffix: string): fc.Arbitrary<RequestGroup> =>
  fc.record({
    suffix: fc.constant(suffix),
    resources: suffix === '' ? amounts(1) : rarely(amounts(0), { VCPU: 1 }),
    required: rarely(anyOf(TRAITS), []),
    forbidden: rarely(some(TRAITS, 1), []),
    memberOf: rarely(anyOf(AGGREGATES), []),
    notMemberOf: rarely(some(AGGREGATES, 1), []),
    inTree: rarely(fc.constantFrom<string | undefined>('p0', 'p2', 'p9'), undefined),
  });
const asked: fc.Arbitrary<CandidateRequest> = fc
  .record({
    groups: fc
      .uniqueArray(fc.constantFrom('', '_A', '_B'), { minLength: 1, maxLength: 3 })
      .chain((suffixes) => fc.tuple(...suffixes.map(groupNamed))),
    isolate: fc.boolean(),
    rootRequired: rarely(some(TRAITS, 1), []),
    rootForbidden: rarely(some(TRAITS, 1), []),
    sameSubtree: rarely(fc.constant<string[][]>([['_A', '_B']]), []),
    limit: fc.constant(undefined),
    nested: fc.constantFrom(true, true, true, false),
  })
  .map(possible);

/** Something is always asked for, and only groups that there are belong together. */
function possible(request: CandidateRequest): CandidateRequest {
  const { groups, sameSubtree } = request;
  const isEmpty = groups.every(({ resources }) => !Object.keys(resources).length);
  return {
    ...request,
    groups: isEmpty ? groups.map((group) => ({ ...group, resources: { VCPU: 1 } })) : groups,
    sameSubtree: groups.filter(({ suffix }) => suffix !== '').length === 2 ? sameSubtree : [],
  };
}

const RUNS = Number(process.env['YAGURA_CANDIDATE_RUNS'] ?? 1_500);

it('finds what the rules allow, each once, and with a limit so many of it', { timeout: 60_000 }, () => {
  let met = 0;
  fc.assert(
    fc.property(cloud, asked, fc.integer({ min: 1, max: 5 }), (providers, request, limit) => {
      const snapshot = Snapshot.of(providers);
      const all = everyCandidate(providers, request);
      const found = (asking: CandidateRequest) =>
        allocationCandidates(snapshot, asking).map(({ parts, mappings }) => tell(parts, mappings));
      expect(found(request).sort()).toEqual(all);
      const cut = found({ ...request, limit });
      expect(cut).toHaveLength(Math.min(limit, all.length));
      expect(cut.filter((each) => !all.includes(each))).toEqual([]);
      expect(new Set(cut).size).toBe(cut.length);
      met += Math.min(1, all.length);
    }),
    { numRuns: RUNS },
  );
  // A property over clouds in which nothing is ever found would say little.
  expect(met).toBeGreaterThan(RUNS / 10);
});
