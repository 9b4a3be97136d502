import { expect, it, vi } from 'vitest';
import { Ovs, parseTaps } from './ovs.js';

it('reads the interfaces that carry a port', () => {
  const table = {
    headings: ['name', 'external_ids'],
    data: [
      ['br-int', ['map', []]],
      [
        'tap5d0f3e8a-1b',
        [
          'map',
          [
            ['attached-mac', 'fa:16:3e:00:00:01'],
            ['iface-id', 'port-1'],
          ],
        ],
      ],
      ['patch', ['map', [['x', 'y']]]],
    ],
  };
  expect(parseTaps(JSON.stringify(table))).toEqual([{ portId: 'port-1', device: 'tap5d0f3e8a-1b' }]);
});

it('removes ports in one call, and makes none for nothing', async () => {
  const run = vi.fn(async () => '');
  const ovs = new Ovs({ run, database: 'unix:/db', bridge: 'br-int' });
  await ovs.remove([]);
  expect(run).not.toHaveBeenCalled();
  await ovs.remove(['tapa', 'tapb']);
  const args = [
    '--db=unix:/db',
    '--timeout=10',
    '--if-exists',
    'del-port',
    'br-int',
    'tapa',
    '--',
    '--if-exists',
    'del-port',
    'br-int',
    'tapb',
  ];
  expect(run).toHaveBeenCalledExactlyOnceWith('ovs-vsctl', args, expect.anything());
});
