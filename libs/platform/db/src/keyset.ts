/**
 * Paging by position: a page starts after the row that the client saw last, wherever rows were added or removed since.
 * Sort keys are SQL expressions of ours (never the client's text); the id breaks ties, so the order is total.
 */

export interface SortKey {
  /** A column or expression of `from`, such as `s.created_at`. */
  readonly column: string;
  readonly direction: 'asc' | 'desc';
  /** Whether it may be null. Nulls sort last ascending and first descending, as PostgreSQL does. */
  readonly nullable?: boolean;
}

export interface Keyset {
  /** What the marker is looked up in, with the alias the columns use: `server s`. */
  readonly from: string;
  readonly sorts: readonly SortKey[];
  /** The unique column, such as `s.id`. */
  readonly id: string;
  /** The id of the last row of the page before. The caller has checked that it exists and may be seen. */
  readonly marker?: string | undefined;
  /** Rows wanted. Ask for one more than the page to learn whether there is a next one. */
  readonly limit?: number | undefined;
  /** The page before the marker instead; the rows come in reverse and the caller turns them round. */
  readonly reverse?: boolean | undefined;
}

export interface KeysetSql {
  /** A condition, `true` for the first page. */
  readonly where: string;
  /** `order by …` and, with a limit, `limit …`. */
  readonly tail: string;
  /** The parameters given, with those that the two texts refer to appended. */
  readonly params: readonly unknown[];
}

const flip = (direction: SortKey['direction']): SortKey['direction'] => (direction === 'asc' ? 'desc' : 'asc');

/** The marker's own values are read by the same statement, so no precision is lost on the way through the client. */
function afterMarker(keys: readonly SortKey[], value: (column: string) => string): string {
  const alternatives: string[] = [];
  let equal = '';
  for (const key of keys) {
    const marker = value(key.column);
    alternatives.push(`${equal}${beyond(key, marker)}`);
    equal += key.nullable ? `${key.column} is not distinct from ${marker} and ` : `${key.column} = ${marker} and `;
  }
  return alternatives.map((alternative) => `(${alternative})`).join(' or ');
}

function beyond(key: SortKey, marker: string): string {
  if (!key.nullable) return `${key.column} ${key.direction === 'asc' ? '>' : '<'} ${marker}`;
  return key.direction === 'asc'
    ? `(${key.column} > ${marker} or (${key.column} is null and ${marker} is not null))`
    : `(${key.column} < ${marker} or (${key.column} is not null and ${marker} is null))`;
}

/** Builds the condition and the order of one page; `params` are the statement's parameters so far. */
export function keyset(page: Keyset, params: readonly unknown[] = []): KeysetSql {
  const given = page.sorts.filter((key) => key.column !== page.id);
  const idSort = page.sorts.find((key) => key.column === page.id) ?? { column: page.id, direction: 'asc' };
  const keys = [...given, idSort].map((key) => (page.reverse ? { ...key, direction: flip(key.direction) } : key));
  const all = [...params];
  let where = 'true';
  if (page.marker !== undefined) {
    all.push(page.marker);
    where = markerCondition(keys, page, all.length);
  }
  let tail = `order by ${keys.map((key) => `${key.column} ${key.direction}`).join(', ')}`;
  if (page.limit !== undefined) {
    all.push(page.limit);
    tail += ` limit $${all.length}`;
  }
  return { where, tail, params: all };
}

function markerCondition(keys: readonly SortKey[], page: Keyset, index: number): string {
  const marker = (column: string): string => `(select ${column} from ${page.from} where ${page.id} = $${index})`;
  const plain = keys.every((key) => !key.nullable && key.direction === keys[0]!.direction);
  if (!plain) return `(${afterMarker(keys, marker)})`;
  // One direction throughout: a row comparison, which an index on the same columns answers.
  const columns = keys.map((key) => key.column).join(', ');
  return `(${columns}) ${keys[0]!.direction === 'asc' ? '>' : '<'} ${marker(columns)}`;
}
