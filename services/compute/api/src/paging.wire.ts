/** Paging and strictness of query strings, as every list of this API has them. */
import { type Static, type TObject, type TProperties, Type } from 'typebox';
import { type Checked, nextLinks, nextPageUrl, query, schemaAt, variants } from '#libs/wire';

/** The most that one page holds. */
export const PAGE_MAX = 1_000;

type Query<P extends TProperties> = Static<ReturnType<typeof Type.Object<P>>>;

/**
 * A query string. Unknown parameters are dropped up to 2.74 and refused from 2.75 on, so that handlers see only what the
 * schema of the version knows.
 */
export function looseQuery<P extends TProperties>(properties: P): Checked<Query<P>> {
  const schema = (additionalProperties: boolean) => Type.Object(properties, { additionalProperties });
  const checked = query(variants(['2.1', schema(true)], ['2.75', schema(false)]));
  const known = new Map<number, ReadonlySet<string>>();
  const namesAt = (version: number): ReadonlySet<string> => {
    const names = known.get(version) ?? new Set(Object.keys((schemaAt(schema(true), version) as TObject).properties));
    known.set(version, names);
    return names;
  };
  return {
    check(value, version) {
      const trouble = checked.check(value, version);
      if (trouble) return trouble;
      const given = value as Record<string, unknown>;
      const names = namesAt(version);
      for (const name of Object.keys(given)) if (!names.has(name)) delete given[name];
      return undefined;
    },
  };
}

export const Limit = Type.Optional(Type.Integer({ minimum: 0 }));
export const Marker = Type.Optional(Type.String());
/** A parameter that may be given several times. */
export const Many = Type.Optional(Type.Array(Type.String()));
/** A parameter of which the last one counts. */
export const One = Type.Optional(Type.Array(Type.String()));

export const last = (values: readonly string[] | undefined): string | undefined => values?.at(-1);

export const pageSize = (asked: number | undefined): number => Math.min(asked ?? PAGE_MAX, PAGE_MAX);

/** Rows that were read with one more than the limit: the page, and whether there is another one. */
export function pageOf<R>(rows: readonly R[], limit: number): { page: readonly R[]; more: boolean } {
  return { page: rows.slice(0, limit), more: limit > 0 && rows.length > limit };
}

/** `{<plural>_links: [...]}` where there is a next page, else nothing. */
export function linksToNext<R>(
  call: { readonly base: string; readonly url: string },
  plural: string,
  { page, more }: { page: readonly R[]; more: boolean },
  markerOf: (row: R) => string,
): Record<string, unknown> {
  const final = page.at(-1);
  const href = more && final ? nextPageUrl(call.base, call.url, markerOf(final)) : undefined;
  const links = nextLinks(href);
  return links ? { [`${plural}_links`]: links } : {};
}
