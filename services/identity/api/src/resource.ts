/** What all resources of this API have in common: links, lists, filters, and attributes of the clients' own. */
import { type TSchema, Type } from 'typebox';
import type { Call, Reply } from '#libs/platform/http';
import { type Filter, MATCHES, type Match } from '#services/identity/data';
import { checkExtra, type Extra } from '#services/identity/domain';

/** A name holds something visible. */
export const nameOf = (longest: number) => Type.String({ minLength: 1, maxLength: longest, pattern: '\\S' });
export const Id = Type.String({ minLength: 1, maxLength: 64 });
export const MaybeId = Type.Union([Id, Type.Null()]);
export const MaybeText = Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()]);
export const Immutable = Type.Object(
  { immutable: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])) },
  { additionalProperties: false },
);

/** `{wrapper: fields}`; attributes beyond the fields are the client's own. */
export const wrapped = <K extends string, S extends TSchema>(wrapper: K, schema: S) =>
  Type.Object({ [wrapper]: schema } as Record<K, S>);

export type AnyCall = Pick<Call<unknown, unknown>, 'base' | 'url'>;

export const selfLink = (call: AnyCall, path: string) => ({ self: `${call.base}/v3/${path}` });

/** A list as it is answered: whole, so there is neither a next nor a previous one. */
export const listReply = (call: AnyCall, wrapper: string, items: readonly unknown[]): Reply => ({
  body: { links: { next: null, previous: null, self: `${call.base}${call.url}` }, [wrapper]: items },
});

/** Attributes of the body that are not ours, to be kept and shown as they are. Undefined where there are none. */
export function extraOf(given: Readonly<Record<string, unknown>>, known: readonly string[]): Extra | undefined {
  const own = Object.entries(given).filter(([key]) => !known.includes(key) && key !== 'id' && key !== 'links');
  if (!own.length) return undefined;
  const extra = Object.fromEntries(own);
  checkExtra(extra);
  return extra;
}

export type Query = Readonly<Record<string, string | string[] | undefined>>;

const FALSE = new Set(['0', 'false', 'no', 'n', 'off', 'f']);
export const isTrue = (text: string): boolean => !FALSE.has(text.toLowerCase());

/** True for `?name`, `?name=1`, `?name=true`. */
export function isSet(query: Query, name: string): boolean {
  const value = first(query[name]);
  return value !== undefined && (value === '' || isTrue(value));
}

export const first = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** The filters of a query, `?name=x` and `?name__contains=x`; what is not named here is ignored, as in Keystone. */
export function filtersOf(query: Query, fields: Readonly<Record<string, 'text' | 'boolean'>>): Filter[] {
  return Object.entries(query).flatMap(([key, raw]): Filter[] => {
    const [field = '', how] = key.split('__');
    const value = first(raw);
    const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (type === undefined || value === undefined) return [];
    if (type === 'boolean') return [{ field, match: 'equals', value: isTrue(value) }];
    if (how === undefined) return [{ field, match: 'equals', value }];
    const match = MATCHES.find((known): known is Match => known === how);
    return match ? [{ field, match, value }] : [];
  });
}
