/**
 * What is wrong with a body or a query, in the words that clients of this API know: those of a validator in Python, which
 * names the rule that was broken and where. What was sent is shown clipped, so that no answer grows with hostile input.
 */
import type { TSchema } from 'typebox';
import { body, query, type SchemaError } from '#libs/wire';

const CLIPPED = 200;

/** A value as Python writes it. */
function python(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return value.includes("'") && !value.includes('"') ? `"${value}"` : quoted(value);
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).map(([key, each]) => `${quoted(key)}: ${python(each)}`);
  return `{${entries.join(', ')}}`;
}

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
const shown = (value: unknown): string => {
  const text = python(value);
  return text.length > CLIPPED ? `${text.slice(0, CLIPPED)}...` : text;
};

type Rule = readonly [broken: string, sentence: string];

/** By keyword of the schema: what rule was broken, and how. */
const RULES: Readonly<Record<string, (error: SchemaError) => Rule>> = {
  required: ({ params }) => ['required', `${quoted(String(params['missingProperty']))} is a required property`],
  additionalProperties: ({ params, parentSchema }) => {
    const name = shown(params['additionalProperty']);
    const patterns = Object.keys((parentSchema?.['patternProperties'] ?? {}) as object);
    return patterns.length
      ? ['additionalProperties', `${name} does not match any of the regexes: ${patterns.map(quoted).join(', ')}`]
      : ['additionalProperties', `Additional properties are not allowed (${name} was unexpected)`];
  },
  type: ({ data, schema }) => {
    const types = (Array.isArray(schema) ? schema : [schema]) as string[];
    return ['type', `${shown(data)} is not of type ${types.map(quoted).join(', ')}`];
  },
  minimum: ({ data, schema }) => ['minimum', `${shown(data)} is less than the minimum of ${String(schema)}`],
  maximum: ({ data, schema }) => ['maximum', `${shown(data)} is greater than the maximum of ${String(schema)}`],
  minLength: ({ data, schema }) => ['minLength', shortOf(data, schema)],
  maxLength: ({ data }) => ['maxLength', `${shown(data)} is too long`],
  minItems: ({ data, schema }) => ['minItems', shortOf(data, schema)],
  minProperties: ({ data, schema }) => [
    'minProperties',
    schema === 1 ? `${shown(data)} should be non-empty` : `${shown(data)} does not have enough properties`,
  ],
  pattern: ({ data, schema, parentSchema }) =>
    parentSchema?.['format'] === 'uuid'
      ? ['format', `${shown(data)} is not a 'uuid'`]
      : ['pattern', `${shown(data)} does not match ${quoted(String(schema))}`],
  enum: ({ data, schema }) => ['enum', `${shown(data)} is not one of ${python(schema)}`],
  uniqueItems: ({ data }) => ['uniqueItems', `${shown(data)} has non-unique elements`],
  anyOf: ({ data }) => ['anyOf', `${shown(data)} is not valid under any of the given schemas`],
};

const shortOf = (data: unknown, least: unknown): string =>
  least === 1 ? `${shown(data)} should be non-empty` : `${shown(data)} is too short`;

const steps = (path: string): string =>
  path
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `[${quoted(step.replaceAll('~1', '/').replaceAll('~0', '~'))}]`))
    .join('');

/** The sentence, the rule and the place. */
function sentence(error: SchemaError | undefined): string {
  if (!error) return 'None is not valid';
  const rule = steps(decodeURIComponent(error.schemaPath.slice(1)).replace(/\/[^/]*$/, ''));
  const [broken, words] = RULES[error.keyword]?.(error) ?? [error.keyword, `${shown(error.data)} is not valid`];
  const where = steps(error.instancePath);
  return `${words}\n\nFailed validating '${broken}' in schema${rule}\n\nOn instance${where}:\n    ${shown(error.data)}`;
}

export const jsonBody = <S extends TSchema>(schema: S) =>
  body(schema, (error) => `JSON does not validate: ${sentence(error)}`);
export const queryString = <S extends TSchema>(schema: S) =>
  query(schema, (error) => `Invalid query string parameters: ${sentence(error)}`);

export { python as pythonText };
