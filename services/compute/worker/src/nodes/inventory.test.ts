import { expect, it } from 'vitest';
import { validated } from '#libs/platform/config';
import { WorkerOptions } from '../options.js';
import { closedReason, inventoriesOf } from './inventory.js';

const options = validated(WorkerOptions, {}, 'options');
const reserved = (memoryMb: number) =>
  inventoriesOf({ name: 'n', vcpus: 4, memoryMb, diskGb: 10, cpuInfo: {} }, options, []).find(
    (one) => one.resourceClass === 'MEMORY_MB',
  )!.reserved;

it('keeps 512 MB for the node, and an eighth where that would be too much', () => {
  expect(reserved(16_384)).toBe(512);
  expect(reserved(2_048)).toBe(256);
});

it('gives processors out many times, and memory and disk once', () => {
  const rows = inventoriesOf(
    { name: 'n', vcpus: 4, memoryMb: 8_192, diskGb: 0, cpuInfo: { dedicatedCpus: 2 } },
    options,
    [],
  );
  expect(rows.map((row) => [row.resourceClass, row.total, row.allocationRatio])).toEqual([
    ['VCPU', 4, 16],
    ['PCPU', 2, 1],
    ['MEMORY_MB', 8_192, 1],
  ]);
});

it('overcommits as an aggregate says, else as configured for the node, else as for all', () => {
  const hardware = { name: 'n', vcpus: 4, memoryMb: 8_192, diskGb: 10, cpuInfo: {} };
  const own: WorkerOptions = { ...options, nodeRatios: { n: { cpu: 4, ram: 1.5 } } };
  const ratios = (metadata: Record<string, string>, from = own) =>
    inventoriesOf(hardware, from, [{ metadata }]).map((row) => row.allocationRatio);
  expect(ratios({})).toEqual([4, 1.5, 1]);
  expect(ratios({ cpu_allocation_ratio: '2', disk_allocation_ratio: '3' })).toEqual([2, 1.5, 3]);
  expect(ratios({}, { ...options, nodeRatios: {} })).toEqual([16, 1, 1]);
});

const node = { state: 'up', stateReason: '', disabled: false, disabledReason: null, forcedDown: false } as const;

it.each([
  [{}, undefined],
  [{ state: 'down', stateReason: 'no report for 31 s' }, 'no report for 31 s'],
  [{ disabled: true, disabledReason: 'new disks' }, 'new disks'],
  [{ disabled: true }, 'an operator closed it'],
  [{ forcedDown: true, state: 'down', stateReason: 'x' }, 'taken down by an operator'],
] as const)('says why a node takes nothing: %o', (more, reason) => {
  expect(closedReason({ ...node, ...more })).toBe(reason);
});
