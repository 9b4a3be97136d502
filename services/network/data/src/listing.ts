/**
 * Lists as clients ask for them: filters by attribute, each with one or more values of which any may match, sort keys,
 * a marker and a limit. Attributes map to SQL of ours; values travel as parameters only.
 */
import { isUuid } from '#libs/kernel';
import { keyset } from '#libs/platform/db';
import type { RbacAction } from '#services/network/domain';

export interface Sort {
  readonly field: string;
  readonly direction: 'asc' | 'desc';
}

export interface ListRequest {
  readonly filters: ReadonlyMap<string, readonly string[]>;
  readonly sorts: readonly Sort[];
  readonly marker?: string | undefined;
  /** Rows wanted; one more is fetched, so that the caller learns whether there is a next page. */
  readonly limit?: number | undefined;
  /** The page before the marker. */
  readonly reverse: boolean;
}

export interface Page<T> {
  readonly rows: readonly T[];
  /** True when there is more in the direction that was asked for. */
  readonly more: boolean;
}

/** Adds a parameter and gives its place, such as `$3`. */
export type Bind = (value: unknown) => string;
/** A condition for the values of one attribute. */
export type Filter = (values: readonly string[], bind: Bind) => string;

export const TRUE = new Set(['true', '1', 'yes', 'on', 't', 'y']);
export const FALSE = new Set(['false', '0', 'no', 'off', 'f', 'n']);

function booleans(values: readonly string[]): boolean[] {
  return values.flatMap((value) => {
    const lower = value.toLowerCase();
    if (TRUE.has(lower)) return [true];
    return FALSE.has(lower) ? [false] : [];
  });
}

export const byText =
  (column: string): Filter =>
  (values, bind) =>
    `${column} = any(${bind(values)}::text[])`;
/** A nullable text column; an empty value asks for null. */
export const byNullableText =
  (column: string): Filter =>
  (values, bind) =>
    `coalesce(${column}, '') = any(${bind(values)}::text[])`;
export const byUuid =
  (column: string): Filter =>
  (values, bind) =>
    `${column} = any(${bind(values.filter(isUuid))}::uuid[])`;
export const byBoolean =
  (column: string): Filter =>
  (values, bind) =>
    `${column} = any(${bind(booleans(values))}::boolean[])`;
export const byInteger =
  (column: string): Filter =>
  (values, bind) =>
    `${column} = any(${bind(values.filter((value) => /^-?\d{1,9}$/.test(value)))}::bigint[])`;
/** An attribute that is the same everywhere. */
export const constant =
  (value: string): Filter =>
  (values, bind) =>
    `lower(${bind(value)}::text) = any(${bind(values.map((given) => given.toLowerCase()))}::text[])`;

/** Rows that changed at or after a time; a text that is no time matches nothing. */
export const since =
  (column: string): Filter =>
  (values, bind) => {
    const times = values.map((value) => Date.parse(value)).filter((time) => Number.isFinite(time));
    return times.length === values.length ? `${column} >= ${bind(new Date(Math.max(...times)))}` : 'false';
  };

/** Filters by tags: all of them, any of them, and their opposites. Values may be lists with commas. */
export function byTags(column: string): Readonly<Record<string, Filter>> {
  const among =
    (operator: '@>' | '&&', wanted: boolean): Filter =>
    (values, bind) => {
      const tags = values.flatMap((value) => value.split(','));
      return `(${column} ${operator} ${bind(tags)}::text[]) = ${wanted}`;
    };
  return {
    tags: among('@>', true),
    'tags-any': among('&&', true),
    'not-tags': among('@>', false),
    'not-tags-any': among('&&', false),
  };
}

export interface ListSpec {
  /** The columns to read. */
  readonly select: string;
  /** The table with its alias, such as `network n`. */
  readonly from: string;
  readonly id: string;
  readonly filters: Readonly<Record<string, Filter>>;
  readonly sortable: Readonly<Record<string, string>>;
}

export interface ListSql {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** The statement for one page. `scope` gives the condition that says whose rows are seen. */
export function listSql(spec: ListSpec, request: ListRequest, scope: (bind: Bind) => string): ListSql {
  const params: unknown[] = [];
  const bind: Bind = (value) => {
    params.push(value);
    return `$${params.length}`;
  };
  const conditions = [scope(bind)];
  for (const [field, values] of request.filters) {
    const filter = spec.filters[field];
    conditions.push(filter ? filter(values, bind) : 'false');
  }
  const sorts = request.sorts.flatMap(({ field, direction }) => {
    const column = spec.sortable[field];
    return column === undefined ? [] : [{ column, direction }];
  });
  const page = keyset(
    {
      from: spec.from,
      sorts: sorts.length > 0 ? sorts : [{ column: spec.sortable['created_at']!, direction: 'asc' }],
      id: spec.id,
      marker: request.marker,
      limit: request.limit === undefined ? undefined : request.limit + 1,
      reverse: request.reverse,
    },
    params,
  );
  const where = [...conditions, page.where].join(' and ');
  return { text: `select ${spec.select} from ${spec.from} where ${where} ${page.tail}`, params: page.params };
}

/** Cuts the extra row off and turns a reversed page round. */
export function pageOf<T>(rows: readonly T[], request: ListRequest): Page<T> {
  const { limit } = request;
  const more = limit !== undefined && rows.length > limit;
  const kept = more ? rows.slice(0, limit) : [...rows];
  return { rows: request.reverse ? [...kept].reverse() : kept, more };
}

/** Whose rows a caller sees. */
export type Scope = { readonly projectId: string } | 'all';

/** The targets of an action on the row of that alias, as an array of the select list. */
export const targetsSql = (alias: string, action: RbacAction): string =>
  `array(select r.target from rbac_policy r where r.object_id = ${alias}.id and r.action = '${action}')`;

/** True for a row that is shared with the project (a parameter's place) for one of the actions. */
export const sharedSql = (alias: string, project: string, ...actions: readonly RbacAction[]): string =>
  `${alias}.id in (select r.object_id from rbac_policy r where r.target in (${project}, '*') and r.action in (${actions.map((action) => `'${action}'`).join(', ')}))`;

/** The rows that a caller sees of a kind that can be shared: its own, and those shared with it. */
export const ownOrShared =
  (alias: string, scope: Scope, ...actions: readonly RbacAction[]) =>
  (bind: Bind): string => {
    if (scope === 'all') return 'true';
    const own = bind(scope.projectId);
    return `(${alias}.project_id = ${own} or ${sharedSql(alias, own, ...actions)})`;
  };
