import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { mv } from '#libs/wire';
import { ManyConsumers } from './allocation/allocation.wire.js';
import { Uuid } from './values.wire.js';
import { jsonBody, pythonText, queryString } from './words.wire.js';

const closed = { additionalProperties: false };
const schema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 3, pattern: '^[a-z]*$' }),
    total: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
    id: Type.Optional(Uuid),
    parent: Type.Optional(Type.Union([Uuid, Type.Null()])),
    list: Type.Optional(Type.Array(Type.String(), { minItems: 2, uniqueItems: true })),
    kind: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['none', 'isolate'] })),
    amounts: Type.Optional(Type.Record(Type.String({ pattern: '^[A-Z]+$' }), Type.Integer(), closed)),
  },
  closed,
);
const said = (value: unknown) => jsonBody(schema).check(value, mv('1.0'));
const first = (value: unknown) => said(value)?.split('\n')[0];

describe('words about a body', () => {
  it('name the rule, the place of the rule, the place in the body, and what stood there', () => {
    expect(said({ name: 'a', total: 0 })).toBe(
      "JSON does not validate: 0 is less than the minimum of 1\n\nFailed validating 'minimum' in schema['properties']['total']\n\nOn instance['total']:\n    0",
    );
    expect(said({ name: 'a', total: 1 })).toBeUndefined();
  });

  it.each([
    [{}, "'name' is a required property"],
    [{ name: 'a', color: 1 }, "Additional properties are not allowed ('color' was unexpected)"],
    [{ name: 'a', amounts: { cpu: 1 } }, "'cpu' does not match any of the regexes: '^[A-Z]+$'"],
    [{ name: 1 }, "1 is not of type 'string'"],
    [{ name: '' }, "'' should be non-empty"],
    [{ name: 'abcd' }, "'abcd' is too long"],
    [{ name: 'A' }, "'A' does not match '^[a-z]*$'"],
    [{ name: 'a', total: 10 }, '10 is greater than the maximum of 9'],
    [{ name: 'a', id: 'x' }, "'x' is not a 'uuid'"],
    [{ name: 'a', parent: 'x' }, "'x' is not valid under any of the given schemas"],
    [{ name: 'a', list: ['b'] }, "['b'] is too short"],
    [{ name: 'a', list: ['b', 'b'] }, "['b', 'b'] has non-unique elements"],
    [{ name: 'a', kind: 'bogus' }, "'bogus' is not one of ['none', 'isolate']"],
    [[true, null, { a: "it's" }], `[True, None, {'a': "it's"}] is not of type 'object'`],
  ])('%j', (value, words) => {
    expect(first(value)).toBe(`JSON does not validate: ${words}`);
  });

  it('show no more than a little of what was sent', () => {
    expect(said({ name: 'a'.repeat(100_000) })!.length).toBeLessThan(700);
    expect(said({ name: 'a', ['x'.repeat(100_000)]: 1 })!.length).toBeLessThan(1_000);
  });

  it('find the place of a rule under a pattern', () => {
    const consumer = '5b2a1d9e-6b0f-4a55-a7a0-2f4a2d1b3c4d';
    const words = ManyConsumers.check({ [consumer]: { allocations: {}, project_id: 'p' } }, mv('1.13'));
    expect(words).toContain(`On instance['${consumer}']`);
    expect(words).toContain("'user_id' is a required property");
  });
});

it('words about a query begin with what it is about', () => {
  expect(queryString(schema).check({ spam: 'x', name: 'a' }, mv('1.0'))).toMatch(
    /^Invalid query string parameters: Additional properties are not allowed \('spam' was unexpected\)/,
  );
});

it('writes values as Python does', () => {
  expect(pythonText(['a\n', "it's", `"both" 'kinds'`, 1.5, false])).toBe(
    `['a\\n', "it's", '"both" \\'kinds\\'', 1.5, False]`,
  );
});
