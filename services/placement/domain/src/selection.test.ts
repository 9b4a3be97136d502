import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { provider, snapshotOf } from '../fixtures/providers.js';
import { withDefaults } from './inventory.js';
import { Provider } from './provider.js';
import { reasonOf, summaryOf, tally } from './rejection.js';
import { selectNodes } from './selection.js';
import { type GroupPolicy, type NodeRequest, QUIET_WORLD, type World } from './selection-request.js';
import { Snapshot } from './snapshot.js';

const fixed = { random: () => 0.5 };
const request: NodeRequest = { resources: { VCPU: 2, MEMORY_MB: 2048, DISK_GB: 10 } };
const reasons = (snapshot: Snapshot, wanted: NodeRequest): Record<string, string> =>
  Object.fromEntries(
    selectNodes(snapshot, wanted, fixed).rejections.map(({ provider: p, refusal }) => [p.name, reasonOf(refusal)]),
  );

describe('a selection', () => {
  it('says of each node why not', () => {
    const snapshot = snapshotOf(
      provider('full', { used: { MEMORY_MB: 3584 } }),
      provider('small', {}, { VCPU: 1, MEMORY_MB: 512, DISK_GB: 100 }),
      provider('down', { disabledReason: 'no report for 31 s' }),
      provider('far', { zone: 'simulated' }),
      provider('tried'),
      provider('plain', {}, { VCPU: 8, MEMORY_MB: 4096 }),
      provider('coarse', {
        inventories: {
          ...provider('x').facts.inventories,
          VCPU: withDefaults({ total: 8, step_size: 4, min_unit: 4 }),
        },
      }),
      provider('chosen', { traits: ['CUSTOM_GPU'] }),
    );
    const wanted = { ...request, zone: 'nova', excludeIds: ['tried'], forbiddenTraits: ['CUSTOM_GPU'] };
    expect(reasons(snapshot, wanted)).toEqual({
      full: 'needs 2048 MB of memory, 512 MB free',
      small: 'needs 2 VCPUs, 1 free; needs 2048 MB of memory, 512 MB free',
      down: 'is disabled: no report for 31 s',
      far: 'is in availability zone simulated, not nova',
      tried: 'was tried before',
      plain: 'needs 10 GB of disk, has no DISK_GB',
      coarse: 'needs 2 VCPUs, gives 4 at least',
      chosen: 'has the forbidden trait CUSTOM_GPU',
    });
    expect(reasons(snapshot, { ...request, onlyName: 'chosen', requiredTraits: ['CUSTOM_A'] })).toEqual({
      chosen: 'lacks the required trait CUSTOM_A',
    });
  });

  it('names the nodes of the zone before all others', () => {
    const none = { used: { MEMORY_MB: 4096 } };
    const snapshot = snapshotOf(provider('a', { zone: 'far' }), provider('c', none), provider('b', none));
    expect(Object.keys(reasons(snapshot, { ...request, zone: 'nova' }))).toEqual(['b', 'c', 'a']);
  });

  it('gives servers to nodes only, and a forced host where asked', () => {
    const snapshot = snapshotOf(provider('a', { isNode: false }), provider('b'), provider('c'));
    const names = (wanted: NodeRequest, options = {}) =>
      selectNodes(snapshot, wanted, { ...fixed, ...options }).ranked.map((p) => p.name);
    expect(names(request).sort()).toEqual(['b', 'c']);
    expect(names({ ...request, onlyName: 'c' })).toEqual(['c']);
    expect(names({ ...request, amongIds: ['b'] })).toEqual(['b']);
    expect(names({ ...request, apartIds: ['b'] })).toEqual(['c']);
  });

  it('prefers the emptier nodes, and draws among the best few', () => {
    const nodes = Array.from({ length: 20 }, (_, i) =>
      provider(`n${String(i).padStart(2, '0')}`, { used: { MEMORY_MB: (i % 6) * 128 } }),
    );
    const first = new Set<string>();
    for (let seed = 0; seed < 100; seed += 1) {
      const ranked = selectNodes(snapshotOf(...nodes), request, {
        random: () => (seed % 100) / 100,
        policy: { breadth: 3 },
      }).ranked;
      first.add(ranked[0]!.name);
    }
    expect([...first].sort()).toEqual(['n00', 'n06', 'n12', 'n18']);
  });
});

const amount = fc.integer({ min: 1, max: 64 });
const arbitrary = fc.record({
  total: fc.integer({ min: 1, max: 64 }),
  reserved: fc.integer({ min: 0, max: 8 }),
  used: fc.integer({ min: 0, max: 64 }),
  ratio: fc.constantFrom(0.5, 1, 1.5, 4),
  step: fc.constantFrom(1, 2),
  disabled: fc.boolean(),
  trait: fc.boolean(),
});

describe('for all snapshots and requests', () => {
  it('what is ranked fits, what is not has a reason, and nothing is forgotten', () => {
    fc.assert(
      fc.property(
        fc.array(arbitrary, { maxLength: 30 }),
        amount,
        fc.boolean(),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (nodes, wanted, trait, chance) => {
          const providers = nodes.map((node, i) =>
            provider(`p${i}`, {
              inventories: {
                VCPU: withDefaults({
                  total: node.total,
                  reserved: node.reserved,
                  allocation_ratio: node.ratio,
                  step_size: node.step,
                }),
              },
              used: { VCPU: node.used },
              disabledReason: node.disabled ? 'off' : null,
              traits: node.trait ? ['T'] : [],
            }),
          );
          const fit = new Set(
            nodes.flatMap((node, i) => {
              const capacity = Math.floor((node.total - node.reserved) * node.ratio);
              const room = node.used + wanted <= capacity && wanted % node.step === 0;
              return room && !node.disabled && (!trait || node.trait) ? [`p${i}`] : [];
            }),
          );
          const options = { random: () => chance, explain: true, policy: { keep: 30 } };
          const asked = { resources: { VCPU: wanted }, requiredTraits: trait ? ['T'] : [] };
          const { ranked, suitable, rejections } = selectNodes(snapshotOf(...providers), asked, options);
          expect(new Set(ranked.map((p) => p.id))).toEqual(fit);
          expect([suitable, rejections.length]).toEqual([fit.size, nodes.length - fit.size]);
          for (const { refusal } of rejections) expect(reasonOf(refusal)).not.toMatch(/undefined|NaN/);
          const counted = tally(rejections, asked.resources).reduce((sum, each) => sum + each.nodes, 0);
          expect(counted).toBe(rejections.length);
        },
      ),
    );
  });
});

const world = (seats: Record<string, number>, more: Partial<World> = {}): World => ({
  ...QUIET_WORLD,
  seats: new Map(Object.entries(seats)),
  ...more,
});
const group = (policy: GroupPolicy, maxPerHost = 0) => ({ group: { id: 'g', policy, maxPerHost } });
const namesFor = (wanted: NodeRequest, around: World, nodes = ['a', 'b', 'c']) =>
  selectNodes(snapshotOf(...nodes.map((name) => provider(name))), wanted, { ...fixed, world: around }).ranked.map(
    ({ name }) => name,
  );

describe('a group of servers', () => {
  it('keeps apart, or holds together', () => {
    const apart = { ...request, ...group('anti-affinity') };
    expect(namesFor(apart, world({ a: 1, b: 1 }))).toEqual(['c']);
    expect(namesFor({ ...request, ...group('anti-affinity', 2) }, world({ a: 1, b: 2, c: 2 }))).toEqual(['a']);
    expect(namesFor({ ...request, ...group('affinity') }, world({ b: 3 }))).toEqual(['b']);
    expect(namesFor({ ...request, ...group('affinity') }, world({}))).toHaveLength(3);
    const { rejections } = selectNodes(snapshotOf(provider('a'), provider('b')), apart, {
      ...fixed,
      world: world({ a: 1, b: 1 }),
    });
    expect(summaryOf(tally(rejections, request.resources))).toBe('2 nodes have a server of its group already');
  });

  it('is drawn to its nodes or away from them where it is soft, and takes others in need', () => {
    expect(namesFor({ ...request, ...group('soft-affinity') }, world({ c: 1 }))[0]).toBe('c');
    const spread = namesFor({ ...request, ...group('soft-anti-affinity') }, world({ a: 1, b: 2 }));
    expect(spread).toEqual(['c', 'a', 'b']);
    expect(namesFor({ ...request, ...group('soft-anti-affinity') }, world({ a: 1 }), ['a'])).toEqual(['a']);
  });
});

describe('weights', () => {
  const chosen = (nodes: readonly Provider[], weights: object, around = QUIET_WORLD) =>
    selectNodes(snapshotOf(...nodes), request, {
      ...fixed,
      world: around,
      policy: { weights: { ...ZERO, ...weights } },
    }).ranked[0]?.name;
  const ZERO = { spread: 0, cpu: 0, ram: 0, disk: 0, load: 0, affinity: 0, failures: 0 };
  const full = provider('full', { used: { VCPU: 2, MEMORY_MB: 2000, DISK_GB: 10 } });
  const cpu = provider('cpu', { used: { VCPU: 6 } });
  const disk = provider('disk', { used: { DISK_GB: 90 } });

  it('spread or pack', () => {
    expect(chosen([full, provider('empty')], { spread: 1 })).toBe('empty');
    expect(chosen([full, provider('empty')], { spread: -1 })).toBe('full');
  });

  it('look at each resource by itself', () => {
    expect(chosen([cpu, disk], { cpu: 1 })).toBe('disk');
    expect(chosen([cpu, disk], { disk: 1 })).toBe('cpu');
    expect(chosen([full, cpu, disk], { ram: -1 })).toBe('full');
  });

  it('look at the real load', () => {
    const pulses = new Map([['a', { load: 1.5, failures: 0, failedAt: null }]]);
    expect(chosen([provider('a'), provider('b')], { load: 1 }, world({}, { pulses }))).toBe('b');
  });

  it('keep off a node that fails builds, for a while', () => {
    const failedAt = new Date(1_000_000);
    const pulses = new Map([['a', { load: 0, failures: 1, failedAt }]]);
    const nodes = [provider('a'), provider('b', { used: { MEMORY_MB: 1500 } })];
    const at = (ms: number) => world({}, { pulses, now: new Date(failedAt.getTime() + ms) });
    expect(chosen(nodes, { spread: 1, failures: 2 }, at(0))).toBe('b');
    expect(chosen(nodes, { spread: 1, failures: 2 }, at(600_000))).toBe('a');
  });
});

describe('the summary of a refusal', () => {
  const summary = (wanted: NodeRequest, ...nodes: readonly Provider[]): string =>
    summaryOf(tally(selectNodes(snapshotOf(...nodes), wanted, fixed).rejections, wanted.resources));

  it('counts nodes by reason, those that came nearest first, and names none', () => {
    const low = { used: { MEMORY_MB: 2560 } };
    const closed = provider('c', { disabledReason: 'maintenance' });
    expect(summary(request, provider('a', low), provider('b', low), closed)).toBe(
      '2 nodes lack 512 MB of memory; 1 is disabled: maintenance',
    );
    expect(summary(request, provider('a', low), provider('b', { used: { MEMORY_MB: 4096 } }))).toBe(
      '2 nodes lack at least 512 MB of memory',
    );
    expect(
      summary(request, provider('a', { used: { VCPU: 7, MEMORY_MB: 2560 } }), closed, provider('z', closed.facts)),
    ).toBe('1 node lacks 1 VCPU and 512 MB of memory; 2 are disabled: maintenance');
    expect(summary(request)).toBe('There are no nodes');
  });

  it('takes numbers in words for one reason, and stays short', () => {
    const silent = [12, 45].map((s) => provider(`n${s}`, { disabledReason: `no report for ${s} s` }));
    expect(summary(request, ...silent)).toMatch(/^2 nodes are disabled: no report for \d+ s$/);
    const many = Array.from({ length: 20 }, (_, i) => provider(`n${i}`, { disabledReason: 'x'.repeat(i + 1) }));
    expect(summary(request, ...many)).toMatch(/; 15 more for other reasons$/);
    expect(summary(request, provider('a', { disabledReason: 'y'.repeat(1_000) })).length).toBeLessThan(200);
  });
});

it('chooses among 10,000 nodes in about a millisecond of CPU, and looks through all of them in 10', () => {
  const nodes = Array.from({ length: 10_000 }, (_, i) =>
    provider(`n${i}`, { used: { VCPU: i % 8 }, traits: ['COMPUTE_NODE'] }),
  );
  const snapshot = Snapshot.of(nodes);
  const wanted = { ...request, requiredTraits: ['COMPUTE_NODE'], forbiddenTraits: ['CUSTOM_OLD'], zone: 'nova' };
  const median = (compare: number): number => {
    const times = Array.from({ length: 15 }, () => {
      const begun = process.threadCpuUsage();
      selectNodes(snapshot, wanted, { random: Math.random, policy: { compare } });
      const { user, system } = process.threadCpuUsage(begun);
      return (user + system) / 1000;
    });
    return times.sort((a, b) => a - b)[7]!;
  };
  expect(median(0)).toBeLessThan(30);
  expect(median(500)).toBeLessThan(3);
});
