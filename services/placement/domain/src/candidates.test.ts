import { describe, expect, it } from 'vitest';
import { provider, snapshotOf } from '../fixtures/providers.js';
import type { CandidateRequest, RequestGroup } from './candidate-request.js';
import { allocationCandidates, summarized } from './candidates.js';
import type { Snapshot } from './snapshot.js';

const group = (suffix: string, resources: Record<string, number>, more: Partial<RequestGroup> = {}): RequestGroup => ({
  suffix,
  resources,
  required: [],
  forbidden: [],
  memberOf: [],
  notMemberOf: [],
  inTree: undefined,
  ...more,
});
const asks = (groups: readonly RequestGroup[], more: Partial<CandidateRequest> = {}): CandidateRequest => ({
  groups,
  isolate: false,
  rootRequired: [],
  rootForbidden: [],
  sameSubtree: [],
  limit: undefined,
  nested: true,
  ...more,
});
const show = (snapshot: Snapshot, request: CandidateRequest): string[] =>
  allocationCandidates(snapshot, request).map(({ parts }) =>
    parts
      .map(({ provider: p, amounts }) => `${p.id}(${Object.entries(amounts).map(([k, v]) => `${k}:${v}`)})`)
      .sort()
      .join(' '),
  );

describe('plain providers', () => {
  const snapshot = snapshotOf(
    provider('a', { traits: ['T'], aggregates: ['x'] }),
    provider('b', { used: { VCPU: 8 } }),
    provider('c', { aggregates: ['y'] }),
  );

  it('give all from one', () => {
    expect(show(snapshot, asks([group('', { VCPU: 1, DISK_GB: 5 })]))).toEqual([
      'a(VCPU:1,DISK_GB:5)',
      'c(VCPU:1,DISK_GB:5)',
    ]);
    expect(show(snapshot, asks([group('', { VCPU: 1 })], { limit: 1 }))).toEqual(['a(VCPU:1)']);
    expect(show(snapshot, asks([group('', { VCPU: 9 })]))).toEqual([]);
  });

  it('are told apart by traits and aggregates', () => {
    const only = (more: Partial<RequestGroup>, rest: Partial<CandidateRequest> = {}) =>
      show(snapshot, asks([group('', { VCPU: 1 }, more)], rest));
    expect(only({ required: [['T', 'U']] })).toEqual(['a(VCPU:1)']);
    expect(only({ forbidden: ['T'] })).toEqual(['c(VCPU:1)']);
    expect(only({ memberOf: [['x', 'y'], ['y']] })).toEqual(['c(VCPU:1)']);
    expect(only({ notMemberOf: ['x'] })).toEqual(['c(VCPU:1)']);
    expect(only({ inTree: 'c' })).toEqual(['c(VCPU:1)']);
    expect(only({ inTree: 'nobody' })).toEqual([]);
    expect(only({}, { rootRequired: ['T'] })).toEqual(['a(VCPU:1)']);
    expect(only({}, { rootForbidden: ['T'] })).toEqual(['c(VCPU:1)']);
  });

  it('serve several groups together only as far as they have room', () => {
    const two = [group('1', { VCPU: 5 }), group('2', { VCPU: 5 })];
    expect(show(snapshot, asks(two))).toEqual([]);
    expect(show(snapshot, asks([group('1', { VCPU: 4 }), group('2', { VCPU: 4 })]))).toEqual([
      'a(VCPU:8)',
      'c(VCPU:8)',
    ]);
    expect(show(snapshot, asks([group('1', { VCPU: 4 }), group('2', { VCPU: 4 })], { isolate: true }))).toEqual([]);
  });
});

describe('trees', () => {
  const host = provider('host', { rootId: 'host', traits: ['HOST'] }, { VCPU: 8, MEMORY_MB: 4096 });
  const child = (id: string, parentId: string, totals: Record<string, number>, traits: string[] = []) =>
    provider(id, { parentId, rootId: 'host', traits }, totals);
  const snapshot = snapshotOf(
    host,
    child('numa0', 'host', { PCPU: 4 }),
    child('numa1', 'host', { PCPU: 4 }),
    child('nic0', 'numa0', { SRIOV_NET_VF: 8 }, ['FAST']),
    child('nic1', 'numa1', { SRIOV_NET_VF: 8 }),
  );

  it('spread the unnamed group and keep named ones in one provider', () => {
    expect(show(snapshot, asks([group('', { VCPU: 1, PCPU: 1 })]))).toEqual([
      'host(VCPU:1) numa0(PCPU:1)',
      'host(VCPU:1) numa1(PCPU:1)',
    ]);
    expect(show(snapshot, asks([group('1', { VCPU: 1, PCPU: 1 })]))).toEqual([]);
    expect(show(snapshot, asks([group('', { VCPU: 1, PCPU: 1 })], { nested: false }))).toEqual([]);
  });

  it('respect same_subtree, traits of the group, and isolation', () => {
    const numa = group('_CPU', { PCPU: 2 });
    const nic = group('_NIC', { SRIOV_NET_VF: 1 });
    expect(show(snapshot, asks([numa, nic]))).toHaveLength(4);
    expect(show(snapshot, asks([numa, nic], { sameSubtree: [['_CPU', '_NIC']] }))).toEqual([
      'nic0(SRIOV_NET_VF:1) numa0(PCPU:2)',
      'nic1(SRIOV_NET_VF:1) numa1(PCPU:2)',
    ]);
    expect(show(snapshot, asks([numa, { ...nic, required: [['FAST']] }], { sameSubtree: [['_CPU', '_NIC']] }))).toEqual(
      ['nic0(SRIOV_NET_VF:1) numa0(PCPU:2)'],
    );
    const two = [group('1', { PCPU: 1 }), group('2', { PCPU: 1 })];
    expect(show(snapshot, asks(two))).toHaveLength(4);
    expect(show(snapshot, asks(two, { isolate: true }))).toHaveLength(2);
  });

  it('are summarized as a whole', () => {
    const candidates = allocationCandidates(snapshot, asks([group('', { VCPU: 1 })]));
    expect(summarized(snapshot, candidates, false).map((p) => p.id)).toEqual(['host']);
    expect(summarized(snapshot, candidates, true)).toHaveLength(5);
  });
});

it('lets a sharing provider serve the trees of its aggregate', () => {
  const snapshot = snapshotOf(
    provider('a', { aggregates: ['x'] }, { VCPU: 8 }),
    provider('b', {}, { VCPU: 8 }),
    provider('nfs', { aggregates: ['x'], traits: ['MISC_SHARES_VIA_AGGREGATE'] }, { DISK_GB: 1000 }),
  );
  expect(show(snapshot, asks([group('', { VCPU: 1, DISK_GB: 10 })]))).toEqual(['a(VCPU:1) nfs(DISK_GB:10)']);
  expect(show(snapshot, asks([group('', { DISK_GB: 10 })]))).toEqual(['nfs(DISK_GB:10)']);
});
