/**
 * The query of a list: filters by attribute (repeated: any of them), `fields`, `sort_key` and `sort_dir`, `limit`,
 * `marker`, `page_reverse`. An attribute that is no filter is refused, so that a typo never lists everything.
 */
import { fail, isUuid } from '#libs/kernel';
import type { ListRequest, Page, Sort } from '#services/network/data';

export type Query = Readonly<Record<string, string | string[] | undefined>>;

export interface ListFields {
  readonly filters: readonly string[];
  readonly sorts: readonly string[];
}

export interface ListQuery extends ListRequest {
  /** The attributes to show; none named: all. */
  readonly fields: ReadonlySet<string>;
}

const RESERVED = new Set(['fields', 'limit', 'marker', 'sort_key', 'sort_dir', 'page_reverse']);
const MOST_VALUES = 1000;

const listOf = (value: string | string[] | undefined): string[] => {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
};
const lastOf = (value: string | string[] | undefined): string | undefined => listOf(value).at(-1);

/** Reads a query; throws `invalid` for what it does not know. */
export function readList(query: Query, known: ListFields): ListQuery {
  const filters = new Map<string, string[]>();
  for (const [field, value] of Object.entries(query)) {
    const values = listOf(value);
    if (values.length > MOST_VALUES || values.some((text) => text.includes('\0')))
      throw fail.invalid(`Invalid values for ${field}.`);
    if (RESERVED.has(field)) continue;
    if (!known.filters.includes(field)) throw fail.invalid(`['${field}'] is invalid attribute for filtering`);
    filters.set(field, values);
  }
  return {
    filters,
    sorts: readSorts(query, known),
    marker: readMarker(query),
    limit: readLimit(query),
    reverse: (lastOf(query['page_reverse']) ?? '').toLowerCase() === 'true',
    fields: new Set(listOf(query['fields']).flatMap((field) => field.split(','))),
  };
}

function readSorts(query: Query, known: ListFields): Sort[] {
  const keys = listOf(query['sort_key']);
  const directions = listOf(query['sort_dir']);
  if (directions.length > 0 && keys.length !== directions.length) {
    throw fail.invalid('The number of sort_keys and sort_dirs must be same');
  }
  return keys.map((field, index) => {
    const direction = directions[index] ?? 'asc';
    if (!known.sorts.includes(field)) throw fail.invalid(`['${field}'] is invalid attribute for sort_keys`);
    if (direction !== 'asc' && direction !== 'desc') throw fail.invalid(`Invalid value for sort_dir: ${direction}`);
    return { field, direction };
  });
}

function readMarker(query: Query): string | undefined {
  const marker = lastOf(query['marker']);
  if (marker !== undefined && !isUuid(marker)) throw fail.invalid(`Invalid marker: ${marker}`);
  return marker;
}

function readLimit(query: Query): number | undefined {
  const text = lastOf(query['limit']);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw fail.invalid(`Invalid value for limit: ${text}`);
  return Number(text) === 0 ? undefined : Number(text);
}

/** The resource with only the fields that were asked for. */
export function pick(body: Record<string, unknown>, fields: ReadonlySet<string>): Record<string, unknown> {
  if (fields.size === 0) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => fields.has(name)));
}

interface Where {
  readonly base: string;
  readonly url: string;
}

function pageUrl(where: Where, marker: string, reverse: boolean): string {
  const url = new URL(where.base + where.url);
  url.searchParams.set('marker', marker);
  url.searchParams.delete('page_reverse');
  if (reverse) url.searchParams.set('page_reverse', 'True');
  return url.toString();
}

/** `{networks: […], networks_links: […]}`; links only where the client pages. */
export function listBody<T extends { readonly id: string }>(
  collection: string,
  page: Page<T>,
  request: ListQuery,
  where: Where,
  show: (row: T) => Record<string, unknown>,
): Record<string, unknown> {
  const body: Record<string, unknown> = { [collection]: page.rows.map((row) => pick(show(row), request.fields)) };
  const [first, last] = [page.rows[0], page.rows.at(-1)];
  if (request.limit === undefined || !first || !last) return body;
  const links = [];
  if (request.reverse || page.more) links.push({ rel: 'next', href: pageUrl(where, last.id, false) });
  if (request.reverse ? page.more : request.marker !== undefined) {
    links.push({ rel: 'previous', href: pageUrl(where, first.id, true) });
  }
  if (links.length > 0) body[`${collection}_links`] = links;
  return body;
}
