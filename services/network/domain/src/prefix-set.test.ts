import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPrefix, lastOf, overlap, type Prefix, parsePrefix } from './address.js';
import { firstFree, holds, merged } from './prefix-set.js';

const read = (...texts: string[]): Prefix[] => texts.map((text) => parsePrefix(text)!);
const shown = (prefixes: readonly Prefix[]): string[] => prefixes.map(formatPrefix);

describe('merging', () => {
  it('joins halves and drops what is held already', () => {
    expect(shown(merged(read('10.0.1.0/24', '10.0.0.0/24', '10.0.2.0/23')))).toEqual(['10.0.0.0/22']);
    expect(shown(merged(read('10.0.0.0/8', '10.1.0.0/16')))).toEqual(['10.0.0.0/8']);
    expect(shown(merged(read('10.0.1.0/24', '10.0.2.0/24')))).toEqual(['10.0.1.0/24', '10.0.2.0/24']);
    expect(shown(merged(read('0.0.0.0/1', '128.0.0.0/1')))).toEqual(['0.0.0.0/0']);
    expect(shown(merged(read('2001:db8::/49', '2001:db8:0:8000::/49')))).toEqual(['2001:db8::/48']);
  });

  const prefix = fc
    .tuple(fc.bigInt({ min: 0n, max: 255n }), fc.integer({ min: 24, max: 32 }))
    .map(([host, length]) => parsePrefix(`10.0.0.${host}/${length}`)!);

  it('keeps every address and adds none, in prefixes apart', () => {
    const addresses = (prefixes: readonly Prefix[]): Set<bigint> => {
      const found = new Set<bigint>();
      for (const one of prefixes) for (let at = one.first; at <= lastOf(one); at++) found.add(at);
      return found;
    };
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 8 }), (prefixes) => {
        const after = merged(prefixes);
        expect(addresses(after)).toEqual(addresses(prefixes));
        for (const [i, a] of after.entries()) for (const b of after.slice(i + 1)) expect(overlap(a, b)).toBe(false);
        expect(merged(after)).toEqual(after);
      }),
    );
  });

  it('finds room where there is some, and only there', () => {
    const pool = read('10.0.0.0/26', '10.0.0.128/26');
    const free = (taken: readonly Prefix[], length: number) => firstFree(pool, taken, length);
    expect(formatPrefix(free([], 28)!)).toBe('10.0.0.0/28');
    expect(formatPrefix(free(read('10.0.0.0/28', '10.0.0.32/28'), 28)!)).toBe('10.0.0.16/28');
    expect(formatPrefix(free(read('10.0.0.1/32'), 27)!)).toBe('10.0.0.32/27');
    expect(formatPrefix(free(read('10.0.0.0/26'), 26)!)).toBe('10.0.0.128/26');
    expect(free([], 25)).toBeNull();
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 10 }), fc.integer({ min: 26, max: 32 }), (taken, length) => {
        const found = free(taken, length);
        if (found) {
          expect(holds(pool, found)).toBe(true);
          expect(taken.some((one) => overlap(one, found))).toBe(false);
          return;
        }
        const step = 1n << BigInt(32 - length);
        for (const outer of pool)
          for (let first = outer.first; first <= lastOf(outer); first += step)
            expect(taken.some((one) => overlap(one, { version: 4, first, length }))).toBe(true);
      }),
    );
  });
});
