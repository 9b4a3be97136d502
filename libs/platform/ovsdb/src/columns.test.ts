import { describe, expect, it } from 'vitest';
import { bool, integer, optional, references, setOf, text, textMap } from './columns.js';
import { Operations } from './operations.js';
import { parseRemotes } from './remote.js';
import { checkSchema } from './schema.js';

describe('columns', () => {
  it('decodes absent columns to their defaults', () => {
    expect(text.decode(undefined)).toBe('');
    expect(integer.decode(undefined)).toBe(0);
    expect(bool.decode(undefined)).toBe(false);
    expect(optional('boolean').decode(undefined)).toBeNull();
    expect([...setOf('string').decode(undefined)]).toEqual([]);
    expect([...textMap().decode(undefined)]).toEqual([]);
  });

  it('reads a set of one that is written as an atom', () => {
    expect([...references.decode(['uuid', 'u1'])]).toEqual(['u1']);
    expect([...setOf<string>('string').decode('a')]).toEqual(['a']);
    expect(optional<boolean>('boolean').decode(['set', [true]])).toBe(true);
    expect(optional<boolean>('boolean').decode(['set', []])).toBeNull();
  });

  it('refuses a value of another type', () => {
    expect(() => text.decode(5)).toThrow('expected string');
    expect(() => setOf('integer').decode(['set', ['a']])).toThrow('expected integer');
  });

  it('applies differences: sets toggle, maps replace or remove, scalars replace', () => {
    const tags = setOf<string>('string');
    expect([...tags.patch(new Set(['a', 'b']), ['set', ['b', 'c']])]).toEqual(['a', 'c']);
    const before = new Map([
      ['k', '1'],
      ['gone', 'x'],
      ['kept', 'y'],
    ]);
    const difference = [
      'map',
      [
        ['k', '2'],
        ['gone', 'x'],
        ['new', 'z'],
      ],
    ] as const;
    expect([...textMap().patch(before, difference)]).toEqual([
      ['k', '2'],
      ['kept', 'y'],
      ['new', 'z'],
    ]);
    expect(integer.patch(1, 2)).toBe(2);
    expect(optional<number>('integer').patch(1, ['set', []])).toBeNull();
  });

  it('encodes what it decodes', () => {
    expect(references.encode(new Set(['u1', 'u2']))).toEqual([
      'set',
      [
        ['uuid', 'u1'],
        ['uuid', 'u2'],
      ],
    ]);
    expect(optional('uuid').encode('u1')).toEqual(['uuid', 'u1']);
    expect(optional('uuid').encode(null)).toEqual(['set', []]);
    expect(textMap().encode(new Map([['a', 'b']]))).toEqual(['map', [['a', 'b']]]);
  });
});

describe('the schema check', () => {
  const schema = {
    tables: { T: { columns: { a: { type: 'string' }, b: { type: { key: 'integer', min: 0, max: 1 } } } } },
  };

  it('passes what agrees and names what does not', () => {
    expect(() => checkSchema({ T: { a: text, b: optional('integer') } }, schema)).not.toThrow();
    expect(() => checkSchema({ T: { a: integer } }, schema)).toThrow('T.a is a scalar of string');
    expect(() => checkSchema({ T: { b: integer } }, schema)).toThrow('T.b is a optional of integer');
    expect(() => checkSchema({ T: { c: text } }, schema)).toThrow('no column T.c');
    expect(() => checkSchema({ U: { a: text } }, schema)).toThrow('no table U');
  });
});

describe('operations', () => {
  const ops = new Operations({ T: { a: text, peers: references } });

  it('name rows by ids of ours and refer to them by the same', () => {
    expect(ops.insert('T', 'u1', { a: 'x' })).toEqual({ op: 'insert', table: 'T', uuid: 'u1', row: { a: 'x' } });
    expect(ops.mutateSet('T', 'u1', 'peers', 'insert', ['u2'])).toEqual({
      op: 'mutate',
      table: 'T',
      where: [['_uuid', '==', ['uuid', 'u1']]],
      mutations: [['peers', 'insert', ['set', [['uuid', 'u2']]]]],
    });
  });

  it('guard a transaction by what must hold', () => {
    expect(ops.expect('T', 'u1', { a: 'x' })).toMatchObject({
      op: 'wait',
      until: '==',
      timeout: 0,
      rows: [{ a: 'x' }],
    });
    expect(ops.expectNone('T', [['a', '==', 'x']], ['a'])).toMatchObject({ op: 'wait', rows: [] });
  });
});

describe('remotes', () => {
  it('reads each form', () => {
    expect(parseRemotes('unix:/run/a.sock, tcp:10.0.0.1:6641,ssl:[::1]:6642')).toEqual([
      { kind: 'unix', path: '/run/a.sock' },
      { kind: 'tcp', host: '10.0.0.1', port: 6641 },
      { kind: 'ssl', host: '::1', port: 6642 },
    ]);
  });

  it('refuses anything else', () => {
    for (const bad of ['', 'tcp:host', 'tcp:host:0', 'tcp:host:99999', 'http:a:1', 'tcp:a:1,']) {
      expect(() => parseRemotes(bad)).toThrow('not an OVSDB remote');
    }
  });
});
