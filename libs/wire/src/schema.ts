/**
 * A request schema with its whole history in it. Properties carry `since` and `until` as plain keywords, at any depth;
 * `variants` picks one of several schemas by version. `at` derives the schema of one version, so the static type is
 * that of the full schema and no code branches on versions. Compiled once per distinct derived schema.
 *
 * Validation stops at the first error: collecting all of them costs time in proportion to hostile input.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type Static, type TSchema, Type } from 'typebox';
import { type Microversion, mv } from './microversion.js';

type Json = Record<string, unknown>;

/** Carries the schema that refused, and what it refused. */
export type SchemaError = ErrorObject;

/** What is wrong with a value, in the words of one API. */
export type Words = (error: SchemaError | undefined, value: unknown) => string;

export interface Checked<T> {
  /** The static type; never present at run time. */
  readonly static?: T;
  /** A sentence that names the field, or undefined when the value fits. Coerces in place where the checker coerces. */
  check(value: unknown, version: Microversion): string | undefined;
}

/** Keywords for a property that exists only from or up to a version: `Type.Optional(Type.String(during({ since: '2.19' })))`. */
export const during = (range: { since?: string; until?: string }): { since?: string; until?: string } => range;

/** A property whose schema differs by version, oldest first: each holds from its version until the next one's. */
export const variants = <S extends readonly (readonly [string, TSchema])[]>(...list: S) =>
  Type.Unsafe<Static<S[number][1]>>({ variants: list });

const inRange = (node: Json, version: Microversion): boolean =>
  (node['since'] === undefined || mv(String(node['since'])) <= version) &&
  (node['until'] === undefined || version <= mv(String(node['until'])));

/** The plain JSON schema that holds at one version. */
export function schemaAt(schema: unknown, version: Microversion): unknown {
  if (Array.isArray(schema)) return schema.map((item) => schemaAt(item, version));
  if (schema === null || typeof schema !== 'object') return schema;
  const node = schema as Json;
  if (Array.isArray(node['variants']))
    return schemaAt(pickVariant(node['variants'] as [string, unknown][], version), version);
  const out: Json = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === 'since' || key === 'until') continue;
    if (key === 'const' || key === 'enum' || key === 'default') out[key] = value;
    else if (key === 'properties') out[key] = propertiesAt(value as Record<string, Json>, version);
    else out[key] = schemaAt(value, version);
  }
  const kept = out['properties'] as Json | undefined;
  if (kept && Array.isArray(out['required'])) out['required'] = out['required'].filter((name) => String(name) in kept);
  return out;
}

function propertiesAt(properties: Record<string, Json>, version: Microversion): Json {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, value]) => inRange(value, version))
      .map(([name, value]) => [name, schemaAt(value, version)]),
  );
}

function pickVariant(list: readonly [string, unknown][], version: Microversion): unknown {
  const holds = list.filter(([since]) => mv(since) <= version).at(-1) ?? list[0];
  if (!holds) throw new Error('variants needs at least one schema');
  return holds[1];
}

const options = { strict: false, allErrors: false, validateFormats: false, logger: false, verbose: true } as const;
const bodies = new Ajv({ ...options });
const queries = new Ajv({ ...options, coerceTypes: 'array' });

/** A body: nothing is coerced. */
export const body = <S extends TSchema>(schema: S, words: Words = sentence): Checked<Static<S>> =>
  checked(schema, bodies, words);
/** A query string: numbers and booleans are read from their text, a single value where a list is wanted becomes one. */
export const query = <S extends TSchema>(schema: S, words: Words = sentence): Checked<Static<S>> =>
  checked(schema, queries, words);

function checked<S extends TSchema>(schema: S, ajv: Ajv, words: Words): Checked<Static<S>> {
  const byVersion = new Map<Microversion, ValidateFunction>();
  const byText = new Map<string, ValidateFunction>();
  const validator = (version: Microversion): ValidateFunction => {
    const known = byVersion.get(version);
    if (known) return known;
    const derived = schemaAt(schema, version) as Json;
    const text = JSON.stringify(derived);
    const compiled = byText.get(text) ?? ajv.compile(derived);
    byText.set(text, compiled);
    byVersion.set(version, compiled);
    return compiled;
  };
  return {
    check(value, version) {
      const validate = validator(version);
      if (validate(value)) return undefined;
      // Of alternatives of which none fits, the last error says so; the first says why the first one does not.
      const last = validate.errors?.at(-1);
      return words(last?.keyword === 'anyOf' && words !== sentence ? last : validate.errors?.[0], value);
    },
  };
}

function sentence(error: ErrorObject | undefined, value: unknown): string {
  if (!error) return 'Invalid input.';
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  if (error.keyword === 'additionalProperties') {
    const extra = String(error.params['additionalProperty']);
    return `Additional properties are not allowed (${JSON.stringify(extra)} was unexpected)${path ? ` in ${path}` : ''}.`;
  }
  if (error.keyword === 'required')
    return `${JSON.stringify(error.params['missingProperty'])} is a required property${path ? ` of ${path}` : ''}.`;
  const shown = JSON.stringify(valueAt(value, error.instancePath)) ?? 'nothing';
  const clipped = shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
  return `Invalid input for field/attribute ${path || 'body'}. Value: ${clipped}. It ${error.message ?? 'is not valid'}.`;
}

function valueAt(value: unknown, pointer: string): unknown {
  let current = value;
  for (const step of pointer.split('/').slice(1)) {
    if (current === null || typeof current !== 'object') return undefined;
    current = (current as Json)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return current;
}
