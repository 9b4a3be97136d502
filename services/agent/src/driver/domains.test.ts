import { expect, it } from 'vitest';
import { LibvirtError, LibvirtUnreachable } from '../libvirt/errors.js';
import { explained, powerOf, snapshotsOf } from './domains.js';
import { Limiter } from './limiter.js';

it.each([
  [1, 1, 'running'],
  [2, 0, 'running'],
  [3, 1, 'paused'],
  [4, 0, 'running'],
  [5, 1, 'stopped'],
  [5, 2, 'stopped'],
  [5, 3, 'crashed'],
  [6, 0, 'crashed'],
  [7, 0, 'paused'],
  [0, 0, 'stopped'],
])('state %d for reason %d is %s', (state, reason, power) => expect(powerOf(state, reason)).toBe(power));

it('tells a hypervisor that is away from one that says no', () => {
  expect(explained(new LibvirtUnreachable('gone'))).toMatchObject({ kind: 'unavailable' });
  expect(explained(new LibvirtError(67, 10, 'unsupported'))).toMatchObject({
    kind: 'conflict',
    message: 'the hypervisor refused: unsupported',
  });
  const other = new Error('x');
  expect(explained(other)).toBe(other);
});

it('lets so many work at a time, in order, whatever comes of it', async () => {
  const limiter = new Limiter(2);
  const order: number[] = [];
  let at = 0;
  let most = 0;
  const work = (n: number) =>
    limiter.run(async () => {
      most = Math.max(most, ++at);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(n);
      at -= 1;
      if (n === 2) throw new Error('no');
    });
  await Promise.allSettled([1, 2, 3, 4, 5].map(work));
  expect(order).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it('finds snapshots inside disks in what QEMU tells of its devices', () => {
  const devices = [
    { inserted: { 'node-name': 'libvirt-1-format', image: { snapshots: [{ name: 'undo-1' }, { name: 'other' }] } } },
    { inserted: { 'node-name': 'libvirt-3-format', image: {} } },
    { device: 'empty drive' },
  ];
  expect(snapshotsOf(devices)).toEqual([
    { node: 'libvirt-1-format', name: 'undo-1' },
    { node: 'libvirt-1-format', name: 'other' },
  ]);
});
