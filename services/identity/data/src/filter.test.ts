import { expect, it } from 'vitest';
import { setClause, Where } from './filter.js';

const columns = { name: 'u.name', enabled: 'u.enabled' };

it('turns filters into conditions with parameters', () => {
  const where = new Where('first').and('u.domain_id = ?', 'd').filters(
    [
      { field: 'name', match: 'icontains', value: '50%_' },
      { field: 'enabled', match: 'equals', value: true },
    ],
    columns,
  );
  expect(where.sql).toBe('(u.domain_id = $2) and (u.name ilike $3) and (u.enabled = $4)');
  expect(where.params).toEqual(['first', 'd', '%50\\%\\_%', true]);
});

it('knows no other fields than those it was given', () => {
  const hostile = ['constructor', '__proto__', 'u.name; drop table users'].map(
    (field) => ({ field, match: 'equals', value: 'x' }) as const,
  );
  expect(new Where().filters(hostile, columns).sql).toBe('true');
});

it('sets what is given, and merges documents', () => {
  const params: unknown[] = ['id'];
  expect(setClause({ name: 'n', enabled: undefined, extra: '{}' }, params)).toBe(
    'set name = $2, extra = extra || $3::jsonb',
  );
  expect(params).toEqual(['id', 'n', '{}']);
  expect(setClause({ name: undefined }, [])).toBeUndefined();
});
