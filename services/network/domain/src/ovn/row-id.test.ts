import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RELATION, rowId } from './row-id.js';

const A = '3b1f4b8e-1c5e-4f0a-9b0c-2d6d8a1f0c11';
const B = '9d2c7a10-52aa-4a41-8a4f-0f1e2d3c4b5a';

describe('ids of relations', () => {
  it('are uuids that never change', () => {
    expect(rowId(RELATION.snat, A, B)).toBe(rowId(RELATION.snat, A, B));
    expect(rowId(RELATION.snat, A, B)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('tell relations, parts and their order apart', () => {
    const ids = [
      rowId(RELATION.snat, A, B),
      rowId(RELATION.snat, B, A),
      rowId(RELATION.staticRoute, A, B),
      rowId(RELATION.snat, A),
      rowId(RELATION.staticRoute, A, '10.0.0.0/24 10.0.0.1'),
      rowId(RELATION.staticRoute, A, '10.0.0.0/24 10.0.0.2'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('do not meet for different texts', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(address, (text) => {
        const id = rowId(RELATION.staticRoute, A, text);
        const before = seen.get(id) ?? text;
        seen.set(id, text);
        return before === text;
      }),
      { numRuns: 5_000 },
    );
  });
});
