import { describe, expect, it } from 'vitest';
import { delegatedRoles, futureTime, timeMs } from './delegation.js';
import { RoleGraph } from './role-graph.js';

const role = (id: string, domainId?: string) => ({
  id,
  name: `n-${id}`,
  domainId,
  description: null,
  options: {},
  extra: {},
});
const graph = new RoleGraph([role('a'), role('b'), role('c'), role('l', 'd')], [{ priorId: 'a', impliedId: 'b' }]);

describe('delegated roles', () => {
  it('are those that are held, by id, by name or all', () => {
    expect(delegatedRoles(undefined, ['a'], graph)).toEqual(['a']);
    expect(delegatedRoles([{ id: 'b' }, { name: 'n-b' }], ['a'], graph)).toEqual(['b']);
  });

  it.each([
    [[{ id: 'c' }]],
    [[{ name: 'n-c' }]],
    [[{ id: 'a' }, { id: 'c' }]],
    [[{ id: 'unknown' }]],
    [[{ name: 'n-l' }]],
    [[{}]],
    [[]],
  ])('%j is refused', (wanted) => {
    expect(() => delegatedRoles(wanted, ['a'], graph)).toThrow();
  });
});

describe('times of expiry', () => {
  const now = Date.UTC(2026, 0, 1);
  it('keep what the client wrote, to the microsecond', () => {
    expect(futureTime('2026-01-02T03:04:05.123456', now)).toBe('2026-01-02T03:04:05.123456');
    expect(futureTime('2026-01-02T03:04:05Z', now)).toBe('2026-01-02T03:04:05.000000');
    expect(timeMs('2026-01-02T03:04:05.123456')).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 123));
  });
  it.each(['2025-12-31T00:00:00Z', 'tomorrow', '2026-13-01T00:00:00Z', '2026-01-02T03:04:05+05:00', ''])(
    'refuse %s',
    (text) => {
      expect(() => futureTime(text, now)).toThrow();
    },
  );
});
