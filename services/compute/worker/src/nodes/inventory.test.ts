import { expect, it } from 'vitest';
import { validated } from '#libs/platform/config';
import { WorkerOptions } from '../options.js';
import { closedReason, inventoriesOf } from './inventory.js';

const options = validated(WorkerOptions, {}, 'options');
const reserved = (memoryMb: number) =>
  inventoriesOf({ vcpus: 4, memoryMb, diskGb: 10 }, options).find((one) => one.resourceClass === 'MEMORY_MB')!.reserved;

it('keeps 512 MB for the node, and an eighth where that would be too much', () => {
  expect(reserved(16_384)).toBe(512);
  expect(reserved(2_048)).toBe(256);
});

it('gives processors out many times, and memory and disk once', () => {
  const rows = inventoriesOf({ vcpus: 4, memoryMb: 8_192, diskGb: 0 }, options);
  expect(rows.map((row) => [row.resourceClass, row.total, row.allocationRatio])).toEqual([
    ['VCPU', 4, 16],
    ['MEMORY_MB', 8_192, 1],
  ]);
});

const node = { state: 'up', stateReason: '', disabled: false, disabledReason: null, forcedDown: false } as const;

it.each([
  [{}, undefined],
  [{ state: 'down', stateReason: 'no report for 31 s' }, 'no report for 31 s'],
  [{ disabled: true, disabledReason: 'new disks' }, 'disabled: new disks'],
  [{ disabled: true }, 'disabled by an operator'],
  [{ forcedDown: true, state: 'down', stateReason: 'x' }, 'taken down by an operator'],
] as const)('says why a node takes nothing: %o', (more, reason) => {
  expect(closedReason({ ...node, ...more })).toBe(reason);
});
