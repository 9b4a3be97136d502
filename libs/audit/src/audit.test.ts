import { describe, expect, it } from 'vitest';
import { audit, persistent } from './audit.js';
import type { BookRow } from './books.js';

const row = (kind: string, id: string, more: Partial<BookRow> = {}): BookRow => ({
  kind,
  id,
  serverId: '',
  node: '',
  state: '',
  facts: {},
  ...more,
});

/** One server, wholly in order. */
const HEALTHY: readonly BookRow[] = [
  row('node', 'node-1', { state: 'up', facts: { inventory: 'ok' } }),
  row('server', 's1', { node: 'node-1', state: 'active' }),
  row('allocation', 's1', { serverId: 's1', node: 'node-1' }),
  row('domain', 's1', { serverId: 's1', node: 'node-1', state: 'running' }),
  row('disk', 's1', { serverId: 's1', node: 'node-1' }),
  row('port', 'p1', { serverId: 's1', node: 'node-1' }),
  row('ovn_port', 'p1', {}),
  row('tap', 'p1', { node: 'node-1', facts: { device: 'vnet0' } }),
  row('usage', 'demo/instances', { facts: { recorded: '1', counted: '1' } }),
  row('inventory', 'node-1/VCPU', { node: 'node-1', facts: { class: 'VCPU', used: '1', capacity: '2' } }),
  row('image', 'i1', { state: 'active' }),
  row('image_file', 'i1', {}),
];

const without = (kind: string): BookRow[] => HEALTHY.filter((r) => r.kind !== kind);
const codes = (rows: readonly BookRow[]): string[] => audit(rows).map((found) => found.code);

describe('the auditor', () => {
  it('is silent where everything matches', () => {
    expect(audit(HEALTHY)).toEqual([]);
  });

  it.each([
    ['allocation', ['server-without-allocation']],
    ['domain', ['server-without-domain']],
    ['disk', ['server-without-disk']],
    ['ovn_port', ['port-not-in-ovn']],
    ['port', ['ovn-port-without-port', 'tap-without-port']],
    ['image_file', ['image-without-file']],
    ['image', ['file-without-image']],
    ['server', ['allocation-without-server', 'disk-without-server', 'domain-without-server', 'port-without-server']],
  ])('misses a lost %s', (kind, expected) => {
    expect(codes(without(kind))).toEqual(expected);
  });

  it.each([
    [row('domain', 's1', { serverId: 's1', node: 'node-2', state: 'running' }), 'domain-on-other-node'],
    [row('allocation', 's1', { serverId: 's1', node: 'node-2' }), 'allocation-on-other-node'],
    [row('usage', 'demo/cores', { facts: { recorded: '2', counted: '1' } }), 'usage-differs'],
    [
      row('inventory', 'x', { node: 'node-1', facts: { class: 'VCPU', used: '3', capacity: '2' } }),
      'node-oversubscribed',
    ],
    [row('task_stuck', 't', { facts: { kind: 'server.create' } }), 'task-stuck'],
    [row('debt', 'd', { node: 'node-1', serverId: 'gone' }), 'debt-not-settled'],
    [row('quarantine', 'instance-x', { node: 'node-1' }), 'quarantined'],
    [row('node', 'node-2', { state: 'down' }), 'node-down'],
    [row('node', 'node-3', { state: 'up', facts: { inventory: 'refused' } }), 'node-not-audited'],
    [row('security_group', 'g', {}), 'security-group-not-in-ovn'],
    [row('router', 'r', {}), 'router-not-in-ovn'],
    [row('ovn_router', 'r', {}), 'ovn-router-without-router'],
    [row('floatingip', 'f', {}), 'floating-ip-not-in-ovn'],
    [row('ovn_floatingip', 'f', {}), 'ovn-floating-ip-without-floating-ip'],
    [row('port_forwarding', 'w', {}), 'port-forwarding-not-in-ovn'],
    [row('ovn_port_forwarding', 'w', {}), 'ovn-port-forwarding-without-port-forwarding'],
    [row('ovn_port_group', 'g', {}), 'ovn-security-group-without-security-group'],
    [row('address_group', 'a', {}), 'address-group-not-in-ovn'],
    [row('ovn_foreign', 'x', { facts: { table: 'ACL' } }), 'ovn-row-of-others'],
  ])('reports %o as %s', (extra, code) => {
    expect(codes([...HEALTHY, extra])).toEqual([code]);
  });

  it.each([
    ['active', 'running', 'crashed'],
    ['stopped', 'stopped', 'running'],
    // Its watchdog, or a fault, has switched it off.
    ['stopped', 'crashed', 'paused'],
    ['paused', 'paused', 'crashed'],
    ['suspended', 'suspended', 'crashed'],
    ['shelved', 'stopped', 'running'],
    ['rescued', 'running', 'paused'],
    ['resized', 'stopped', 'suspended'],
  ])('looks where a server that is %s has its domain, and whether that is %s', (state, domain, wrong) => {
    const server = row('server', 's1', { node: 'node-1', state });
    const found = (is: string) => row('domain', 's1', { serverId: 's1', node: 'node-1', state: is });
    const others = without('server').filter(({ kind }) => kind !== 'domain');
    expect(codes([...others, server, found(domain)])).toEqual([]);
    expect(codes([...others, server, found(wrong)])).toEqual(['domain-in-other-state']);
    expect(codes([...others, server])).toEqual(['server-without-domain']);
  });

  it('finds nothing of a server that lies on the shelf but its ports', () => {
    const shelved = [...without('server'), row('server', 's1', { state: 'shelved_offloaded' })];
    const left = ['allocation', 'disk', 'domain'].map((kind) => `${kind}-of-unplaced-server`);
    expect(codes(shelved)).toEqual(left);
    expect(codes(shelved.filter(({ kind }) => !['allocation', 'disk', 'domain', 'tap'].includes(kind)))).toEqual([]);
  });

  it('says nothing about a server at work, nor about what a debt still has to clear', () => {
    const building = row('server', 's2', { state: 'building', node: 'node-1', facts: { task: 'running' } });
    const owed = [
      row('debt', 'd', { node: 'node-9', serverId: 's3' }),
      row('allocation', 's3', { serverId: 's3', node: 'node-9' }),
    ];
    expect(audit([...HEALTHY, building, ...owed])).toEqual([]);
  });

  it('keeps only what two looks agree on', () => {
    const first = audit(without('disk'));
    expect(persistent(first, audit(HEALTHY))).toEqual([]);
    expect(persistent(first, first)).toEqual(first);
  });
});
