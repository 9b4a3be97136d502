/** A list request as one statement. Every value is a parameter; column names come from tables of ours. */
import { isUuid } from '#libs/kernel';
import { keyset, type SortKey } from '#libs/platform/db';
import type { ImageFilter, ImageQuery, ImageSortKey, TimeOperator } from '#services/image/domain';
import { IMAGE_COLUMNS, type Viewer } from './image.columns.js';

const SORT_COLUMNS: Record<ImageSortKey, { column: string; nullable?: boolean }> = {
  name: { column: 'i.name', nullable: true },
  status: { column: 'i.status' },
  container_format: { column: 'i.container_format', nullable: true },
  disk_format: { column: 'i.disk_format', nullable: true },
  size: { column: 'i.size', nullable: true },
  id: { column: 'i.id' },
  created_at: { column: 'i.created_at' },
  updated_at: { column: 'i.updated_at' },
};
const TIME_OPERATORS: Record<TimeOperator, string> = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=', neq: '<>' };

/** Parameters of a statement under construction. */
class Parameters {
  readonly values: unknown[] = [];
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

export interface ListSql {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** The statement of one page, with one row more than the page so that a next page shows. */
export function listSql(query: ImageQuery, viewer: Viewer): ListSql {
  const params = new Parameters();
  const project = params.add(viewer.projectId);
  const where = [
    `i.status <> 'deleted'`,
    `i.hidden = ${query.hidden ? 'true' : 'false'}`,
    ...seen(query, viewer, project, params),
    ...(query.tags.length ? [`i.tags @> ${params.add(query.tags)}::text[]`] : []),
    ...query.filters.map((filter) => condition(filter, params)),
  ];
  const page = keyset(
    { from: 'image i', sorts: sortsOf(query), id: 'i.id', marker: query.marker, limit: query.limit + 1 },
    params.values,
  );
  const text = `select ${IMAGE_COLUMNS} from image i where ${where.join(' and ')} and ${page.where} ${page.tail}`;
  return { text, params: page.params };
}

/** True where the text depends on nothing that the client chose, so that it may be prepared once. */
export const isPlainList = (query: ImageQuery): boolean =>
  !query.filters.length &&
  !query.tags.length &&
  !query.visibility &&
  !query.marker &&
  query.memberStatus === 'accepted' &&
  query.sorts.length === 1 &&
  query.sorts[0]!.key === 'created_at';

function sortsOf(query: ImageQuery): SortKey[] {
  const sorts = query.sorts.map(({ key, direction }): SortKey => ({ ...SORT_COLUMNS[key], direction }));
  const direction = sorts.at(-1)!.direction;
  const has = (column: string): boolean => sorts.some((sort) => sort.column === column);
  if (!has('i.created_at')) sorts.push({ column: 'i.created_at', direction });
  if (!has('i.id')) sorts.push({ column: 'i.id', direction });
  return sorts;
}

/** Which images the viewer is shown. Community images of others are listed only where they are asked for. */
function seen(query: ImageQuery, viewer: Viewer, project: string, params: Parameters): string[] {
  const { visibility } = query;
  const where = visibility && visibility !== 'all' ? [`i.visibility = ${params.add(visibility)}`] : [];
  if (viewer.all) return [...where, `${project}::text is not null`];
  const ways = [`i.owner = ${project}`, `i.visibility = 'public'`];
  if (visibility === 'community' || visibility === 'all') ways.push(`i.visibility = 'community'`);
  const status = query.memberStatus === 'all' ? '' : ` and m.status = ${params.add(query.memberStatus)}`;
  ways.push(`(i.visibility = 'shared' and exists
    (select 1 from image_member m where m.image_id = i.id and m.member_id = ${project}${status}))`);
  return [...where, `(${ways.join(' or ')})`];
}

function condition(filter: ImageFilter, params: Parameters): string {
  switch (filter.kind) {
    case 'oneOf':
      return filter.column === 'id'
        ? `i.id = any(${params.add(filter.values.filter(isUuid))}::uuid[])`
        : `i.${filter.column} = any(${params.add(filter.values)}::text[])`;
    case 'text':
      return `i.${TEXT_COLUMNS[filter.column]} = ${params.add(filter.value)}`;
    case 'number':
      return `i.${filter.column} ${filter.op} ${params.add(filter.value)}::bigint`;
    case 'time':
      return `date_trunc('second', i.${filter.column}) ${TIME_OPERATORS[filter.op]} ${params.add(filter.value)}::timestamptz`;
    case 'protected':
      return `i.protected = ${params.add(filter.value)}`;
    case 'property':
      return `i.properties @> jsonb_build_object(${params.add(filter.name)}::text, ${params.add(filter.value)}::text)`;
  }
}

const TEXT_COLUMNS = {
  owner: 'owner',
  checksum: 'checksum',
  os_hash_value: 'hash_value',
  os_hash_algo: 'hash_algo',
} as const;
