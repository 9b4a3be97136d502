import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp, parsePrefix } from './address.js';
import { checkedPools, defaultPools, type Pool, poolsSize, rangesOf, stretchesAfter } from './pools.js';

const prefix = (text: string) => parsePrefix(text)!;
const value = (text: string) => parseIp(text)!.value;
const pools = (cidr: string, gateway: string | null) =>
  rangesOf(prefix(cidr).version, defaultPools(prefix(cidr), gateway === null ? null : value(gateway))).map(
    (range) => `${range.start}-${range.end}`,
  );
const addresses = (list: readonly Pool[]) =>
  list.flatMap((pool) => Array.from({ length: Number(pool.last - pool.first) + 1 }, (_, i) => pool.first + BigInt(i)));

describe('default pools', () => {
  it('leave out network, broadcast and gateway', () => {
    expect(pools('10.0.0.0/24', '10.0.0.1')).toEqual(['10.0.0.2-10.0.0.254']);
    expect(pools('10.0.0.0/24', '10.0.0.9')).toEqual(['10.0.0.1-10.0.0.8', '10.0.0.10-10.0.0.254']);
    expect(pools('10.0.0.0/24', null)).toEqual(['10.0.0.1-10.0.0.254']);
    expect(pools('10.0.0.0/30', '10.0.0.1')).toEqual(['10.0.0.2-10.0.0.2']);
    expect(pools('10.0.0.0/31', '10.0.0.1')).toEqual(['10.0.0.0-10.0.0.0']);
    expect(pools('10.0.0.5/32', null)).toEqual(['10.0.0.5-10.0.0.5']);
    expect(pools('2001:db8::/126', '2001:db8::1')).toEqual(['2001:db8::2-2001:db8::3']);
    expect(pools('2001:db8::/64', 'fe80::1')).toEqual(['2001:db8::1-2001:db8::ffff:ffff:ffff:ffff']);
  });
});

describe('pools of the client', () => {
  const check = (...ranges: [string, string][]) =>
    checkedPools(
      prefix('10.0.0.0/24'),
      ranges.map(([start, end]) => ({ start, end })),
      value('10.0.0.1'),
    );

  it('come back in order', () => {
    expect(check(['10.0.0.100', '10.0.0.110'], ['10.0.0.5', '10.0.0.9']).map((pool) => pool.first)).toEqual([
      value('10.0.0.5'),
      value('10.0.0.100'),
    ]);
  });

  it('are refused by name', () => {
    expect(() => check(['10.0.0.9', '10.0.0.5'])).toThrow(expect.objectContaining({ type: 'InvalidAllocationPool' }));
    expect(() => check(['10.0.0.9', '10.0.1.5'])).toThrow(
      expect.objectContaining({ type: 'OutOfBoundsAllocationPool' }),
    );
    expect(() => check(['10.0.0.9', 'fe80::1'])).toThrow(expect.objectContaining({ type: 'InvalidAllocationPool' }));
    expect(() => check(['10.0.0.1', '10.0.0.5'])).toThrow(
      expect.objectContaining({ type: 'GatewayConflictWithAllocationPools', kind: 'conflict' }),
    );
    expect(() => check(['10.0.0.9', '10.0.0.20'], ['10.0.0.20', '10.0.0.30'])).toThrow(
      expect.objectContaining({ type: 'OverlappingAllocationPools', kind: 'conflict' }),
    );
  });
});

describe('the search for a free address', () => {
  const two: Pool[] = [
    { first: 10n, last: 14n },
    { first: 20n, last: 22n },
  ];

  it('begins after the last one given and goes round', () => {
    expect(addresses(stretchesAfter(two, null))).toEqual([10n, 11n, 12n, 13n, 14n, 20n, 21n, 22n]);
    expect(addresses(stretchesAfter(two, 13n)).slice(0, 3)).toEqual([14n, 20n, 21n]);
    expect(addresses(stretchesAfter(two, 17n)).slice(0, 2)).toEqual([20n, 21n]);
    expect(addresses(stretchesAfter(two, 22n)).slice(0, 2)).toEqual([10n, 11n]);
    expect(addresses(stretchesAfter(two, 21n))).toEqual([22n, 10n, 11n, 12n, 13n, 14n, 20n, 21n]);
  });

  it('covers every address exactly once', () => {
    const list = fc.uniqueArray(fc.bigInt({ min: 0n, max: 40n }), { minLength: 2, maxLength: 8 }).map((cuts) => {
      const sorted = [...cuts].sort((a, b) => (a < b ? -1 : 1));
      return sorted.flatMap((first, i) =>
        i % 2 === 0 && sorted[i + 1] !== undefined ? [{ first, last: sorted[i + 1]! - 1n }] : [],
      );
    });
    fc.assert(
      fc.property(list, fc.option(fc.bigInt({ min: 0n, max: 45n })), (some, after) => {
        const found = addresses(stretchesAfter(some, after));
        expect(found).toHaveLength(Number(poolsSize(some)));
        expect([...found].sort((a, b) => (a < b ? -1 : 1))).toEqual(addresses(some));
      }),
    );
  });
});
