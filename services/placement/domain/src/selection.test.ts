import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { provider, snapshotOf } from '../fixtures/providers.js';
import { withDefaults } from './inventory.js';
import { Provider } from './provider.js';
import { type NodeRequest, selectNodes } from './selection.js';
import { Snapshot } from './snapshot.js';

const fixed = { random: () => 0.5 };
const request: NodeRequest = { resources: { VCPU: 2, MEMORY_MB: 2048, DISK_GB: 10 } };
const reasons = (snapshot: Snapshot, wanted: NodeRequest): Record<string, string> =>
  Object.fromEntries(
    selectNodes(snapshot, wanted, fixed).rejections.map(({ provider: p, reason }) => [p.name, reason]),
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

  it('gives servers to nodes only, a forced host where asked, and honours hooks', () => {
    const snapshot = snapshotOf(provider('a', { isNode: false }), provider('b'), provider('c'));
    const names = (wanted: NodeRequest, options = {}) =>
      selectNodes(snapshot, wanted, { ...fixed, ...options }).ranked.map((p) => p.name);
    expect(names(request).sort()).toEqual(['b', 'c']);
    expect(names({ ...request, onlyName: 'c' })).toEqual(['c']);
    const hooks = { refuse: (p: Provider) => (p.name === 'c' ? 'holds a server of the same group' : undefined) };
    expect(selectNodes(snapshot, request, { ...fixed, hooks, explain: true })).toMatchObject({
      ranked: [{ name: 'b' }],
      rejections: [{ provider: { name: 'c' }, reason: 'holds a server of the same group' }],
    });
  });

  it('prefers the emptier nodes, and draws among the best few', () => {
    const nodes = Array.from({ length: 20 }, (_, i) =>
      provider(`n${String(i).padStart(2, '0')}`, { used: { MEMORY_MB: (i % 6) * 128 } }),
    );
    const first = new Set<string>();
    for (let seed = 0; seed < 100; seed += 1) {
      const ranked = selectNodes(snapshotOf(...nodes), request, {
        random: () => (seed % 100) / 100,
        breadth: 3,
      }).ranked;
      first.add(ranked[0]!.name);
    }
    expect([...first].sort()).toEqual(['n00', 'n06', 'n12']);
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
          const options = { random: () => chance, explain: true, keep: 30 };
          const asked = { resources: { VCPU: wanted }, requiredTraits: trait ? ['T'] : [] };
          const { ranked, suitable, rejections } = selectNodes(snapshotOf(...providers), asked, options);
          expect(new Set(ranked.map((p) => p.id))).toEqual(fit);
          expect([suitable, rejections.length]).toEqual([fit.size, nodes.length - fit.size]);
          for (const { reason } of rejections) expect(reason).not.toBe('is not suitable');
        },
      ),
    );
  });
});

it('looks through 10,000 nodes in about 10 ms of CPU', () => {
  const nodes = Array.from({ length: 10_000 }, (_, i) =>
    provider(`n${i}`, { used: { VCPU: i % 8 }, traits: ['COMPUTE_NODE'] }),
  );
  const snapshot = Snapshot.of(nodes);
  const wanted = { ...request, requiredTraits: ['COMPUTE_NODE'], forbiddenTraits: ['CUSTOM_OLD'], zone: 'nova' };
  const times = Array.from({ length: 15 }, () => {
    const begun = process.threadCpuUsage();
    selectNodes(snapshot, wanted, { random: Math.random });
    const { user, system } = process.threadCpuUsage(begun);
    return (user + system) / 1000;
  }).sort((a, b) => a - b);
  expect(times[7]).toBeLessThan(30);
});
