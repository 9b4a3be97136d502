import { describe, expect, it } from 'vitest';
import { capacityOf, sumOf } from './network-ip-availability.js';

describe('the addresses of a subnet', () => {
  it('are those of its pools, or all where it has none', () => {
    const pools = [
      { start: '10.0.0.2', end: '10.0.0.5' },
      { start: '10.0.0.10', end: '10.0.0.10' },
    ];
    expect(capacityOf('10.0.0.0/24', pools)).toBe(5n);
    expect(capacityOf('10.0.0.0/24', [])).toBe(256n);
    expect(capacityOf('fd00::/64', [{ start: 'fd00::2', end: 'fd00::ffff:ffff:ffff:ffff' }])).toBe(2n ** 64n - 2n);
    expect(capacityOf('::/0', [])).toBe(2n ** 128n);
  });

  it('add up to those of the network', () => {
    expect(sumOf([])).toEqual({ total: 0n, used: 0 });
    expect(
      sumOf([
        { total: 2n ** 64n, used: 1 },
        { total: 1n, used: 2 },
      ]),
    ).toEqual({ total: 2n ** 64n + 1n, used: 3 });
  });
});
