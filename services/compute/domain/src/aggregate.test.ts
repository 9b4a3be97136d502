import { expect, it } from 'vitest';
import { labelsIn, metadataTrouble, ratiosIn, zoneTrouble } from './aggregate.js';

const given = { cpu: 16, ram: 1, disk: 1 };
const of = (...all: readonly Record<string, string>[]) => all.map((metadata) => ({ metadata }));

it("the smallest ratio of a node's aggregates counts", () => {
  expect(ratiosIn([], given)).toEqual(given);
  const two = of({ cpu_allocation_ratio: '4.5', ram_allocation_ratio: 'x' }, { cpu_allocation_ratio: '2' });
  expect(ratiosIn(two, given)).toEqual({ cpu: 2, ram: 1, disk: 1 });
  expect(ratiosIn(of({ disk_allocation_ratio: '0' }), given)).toEqual(given);
});

it('labels are all values that any of them has', () => {
  expect(labelsIn(of({ ssd: 'true', a: '1' }, { ssd: 'false', a: '1' }))).toEqual({ ssd: ['false', 'true'], a: ['1'] });
  expect(Object.hasOwn(labelsIn(of(JSON.parse('{"__proto__":"x"}'))), 'constructor')).toBe(false);
});

it('a zone is refused that is none, that others contradict, or that would move servers', () => {
  const aggregate = { name: 'a', metadata: { availability_zone: 'z1' } };
  const free = { otherZones: [], occupied: false };
  expect(zoneTrouble(aggregate, 'z2', free)).toBeUndefined();
  expect(zoneTrouble(aggregate, '', free)).toMatch(/does not support empty named/);
  expect(zoneTrouble(aggregate, null, free)).toMatch(/does not support empty named/);
  expect(zoneTrouble(aggregate, 'z2', { ...free, otherZones: ['z2', 'z3'] })).toBe(
    "One or more hosts already in availability zone(s) ['z3']",
  );
  expect(zoneTrouble(aggregate, 'z2', { ...free, occupied: true })).toMatch(/contain instances/);
  expect(zoneTrouble(aggregate, 'z1', { ...free, occupied: true })).toBeUndefined();
});

it('ratios are positive numbers', () => {
  for (const odd of ['-1', '0', 'four', '1e9', ''])
    expect(metadataTrouble({ cpu_allocation_ratio: odd })?.message).toMatch(/cpu_allocation_ratio/);
  expect(metadataTrouble({ cpu_allocation_ratio: '4.0', ram_allocation_ratio: null, x: 'y' })).toBeUndefined();
});
