import { describe, expect, it } from 'vitest';
import { type ListQuery, listBody, pick, type Query, readList } from './list.wire.js';

const known = { filters: ['name', 'id'], sorts: ['name', 'created_at'] };
const ID = '11111111-1111-4111-8111-111111111111';
const read = (query: Query): ListQuery => readList(query, known);

describe('the query of a list', () => {
  it('reads filters, fields, order and page', () => {
    const query = read({
      name: ['a', 'b'],
      fields: ['id', 'name'],
      sort_key: ['name', 'created_at'],
      sort_dir: ['desc', 'asc'],
      limit: '2',
      marker: ID,
      page_reverse: 'True',
    });
    expect(query.filters.get('name')).toEqual(['a', 'b']);
    expect([...query.fields]).toEqual(['id', 'name']);
    expect(query.sorts).toEqual([
      { field: 'name', direction: 'desc' },
      { field: 'created_at', direction: 'asc' },
    ]);
    expect(query).toMatchObject({ limit: 2, marker: ID, reverse: true });
  });

  it('takes an empty value as a value, and limit 0 as none', () => {
    expect(read({ name: '' }).filters.get('name')).toEqual(['']);
    expect(read({ limit: '0' }).limit).toBeUndefined();
  });

  it('refuses what it does not know', () => {
    expect(() => read({ nmae: 'x' })).toThrow('invalid attribute for filtering');
    expect(() => read({ __proto__x: 'x' })).toThrow('invalid attribute for filtering');
    expect(() => read({ sort_key: 'size' })).toThrow('invalid attribute for sort_keys');
    expect(() => read({ sort_key: ['name', 'created_at'], sort_dir: 'asc' })).toThrow('must be same');
    expect(() => read({ sort_key: 'name', sort_dir: 'up' })).toThrow('sort_dir');
    expect(() => read({ limit: '-1' })).toThrow('limit');
    expect(() => read({ marker: 'x' })).toThrow('marker');
    expect(() => read({ name: 'a\0b' })).toThrow('Invalid values');
  });
});

describe('a page', () => {
  const where = { base: 'http://cloud/network', url: '/v2.0/things?limit=2&name=a' };
  const rows = [{ id: 'r1' }, { id: 'r2' }];
  const links = (more: boolean, query: Query): unknown =>
    listBody('things', { rows, more }, read({ limit: '2', ...query }), where, (row) => row)['things_links'];

  it('links to its neighbours, as far as there are any', () => {
    const next = { rel: 'next', href: 'http://cloud/network/v2.0/things?limit=2&name=a&marker=r2' };
    const previous = {
      rel: 'previous',
      href: 'http://cloud/network/v2.0/things?limit=2&name=a&marker=r1&page_reverse=True',
    };
    expect(links(false, {})).toBeUndefined();
    expect(links(true, {})).toEqual([next]);
    expect(links(true, { marker: ID })).toEqual([next, previous]);
    expect(links(false, { marker: ID, page_reverse: 'True' })).toEqual([next]);
    expect(links(true, { marker: ID, page_reverse: 'True' })).toEqual([next, previous]);
  });

  it('has no links where the client does not page', () => {
    expect(listBody('things', { rows, more: false }, read({}), where, (row) => row)).toEqual({ things: rows });
  });

  it('shows the fields that were asked for', () => {
    expect(pick({ id: 1, name: 2 }, new Set(['name', 'nonsense']))).toEqual({ name: 2 });
    expect(pick({ id: 1 }, new Set())).toEqual({ id: 1 });
  });
});
