import fc from 'fast-check';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { mv } from './microversion.js';
import { body, during, query, schemaAt, variants } from './schema.js';

const Nic = Type.Object(
  { uuid: Type.Optional(Type.String()), tag: Type.Optional(Type.String(during({ since: '2.32' }))) },
  { additionalProperties: false },
);
const Create = Type.Object(
  {
    server: Type.Object(
      {
        name: Type.String({ minLength: 1 }),
        description: Type.Optional(Type.String(during({ since: '2.19' }))),
        personality: Type.Optional(Type.Array(Type.Unknown(), during({ until: '2.56' }))),
        networks: variants(
          ['2.1', Type.Array(Nic)],
          ['2.37', Type.Union([Type.Array(Nic), Type.Literal('auto'), Type.Literal('none')])],
        ),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
const checker = body(Create);
const fits = (version: string, server: unknown) => checker.check({ server }, mv(version)) === undefined;

describe('a schema with its history in it', () => {
  it('knows fields that came and went', () => {
    const base = { name: 'x', networks: [] };
    expect(fits('2.18', { ...base, description: 'd' })).toBe(false);
    expect(fits('2.19', { ...base, description: 'd' })).toBe(true);
    expect(fits('2.56', { ...base, personality: [] })).toBe(true);
    expect(fits('2.57', { ...base, personality: [] })).toBe(false);
  });

  it('reaches nested fields and changed shapes', () => {
    expect(fits('2.31', { name: 'x', networks: [{ tag: 't' }] })).toBe(false);
    expect(fits('2.32', { name: 'x', networks: [{ tag: 't' }] })).toBe(true);
    expect(fits('2.36', { name: 'x', networks: 'auto' })).toBe(false);
    expect(fits('2.37', { name: 'x', networks: 'auto' })).toBe(true);
  });

  it('does not require a field before its time', () => {
    const Needed = Type.Object({ must: Type.String(during({ since: '2.10' })) });
    expect(body(Needed).check({}, mv('2.9'))).toBeUndefined();
    expect(body(Needed).check({}, mv('2.10'))).toContain('"must" is a required property');
  });

  it('names the field and clips the value', () => {
    expect(checker.check({ server: { name: 7, networks: [] } }, mv('2.1'))).toMatch(/server\.name.*7.*string/);
    expect(checker.check({ server: { name: 'x', networks: [], odd: 1 } }, mv('2.1'))).toContain('"odd" was unexpected');
    expect(checker.check({ server: { name: ['y'.repeat(500)], networks: [] } }, mv('2.1'))!.length).toBeLessThan(200);
  });

  it('coerces queries and never bodies', () => {
    const Page = Type.Object({ limit: Type.Optional(Type.Integer()), name: Type.Optional(Type.Array(Type.String())) });
    const asked: Record<string, unknown> = { limit: '5', name: 'a' };
    expect(query(Page).check(asked, 0)).toBeUndefined();
    expect(asked).toEqual({ limit: 5, name: ['a'] });
    expect(body(Page).check({ limit: '5' }, 0)).toContain('integer');
  });

  it('leaves a plain schema behind at any version', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 104 }), (minor) => {
        const text = JSON.stringify(schemaAt(Create, 2000 + minor));
        return !text.includes('"since"') && !text.includes('"until"') && !text.includes('"variants"');
      }),
    );
  });
});
