/**
 * Lists of servers: conditions by name from one table, keyset paging, and deleted ones where asked for. Nothing a client
 * sends becomes SQL text.
 */
import { fail, isUuid } from '#libs/kernel';
import { type Db, keyset, QueryError, type SortKey, type Sql } from '#libs/platform/db';
import type { Server } from '#services/compute/domain';
import { SERVER_COLUMNS } from './server.columns.js';
import { textMatch } from './text-match.js';

type Kind = 'text' | 'exact' | 'uuid' | 'oneOf' | 'flag' | 'set' | 'time' | 'address4' | 'address6' | 'tags';

const FILTERS = {
  id: ['s.id', 'uuid'],
  projectId: ['s.project_id', 'exact'],
  userId: ['s.user_id', 'exact'],
  name: ['s.name', 'text'],
  description: ['s.description', 'text'],
  hostname: ['s.hostname', 'text'],
  keyName: ['s.key_name', 'text'],
  availabilityZone: ['s.availability_zone', 'text'],
  reservationId: ['s.reservation_id', 'text'],
  lockedBy: ['s.locked_by', 'exact'],
  accessIpV4: ['s.access_ip_v4', 'text'],
  accessIpV6: ['s.access_ip_v6', 'text'],
  diskConfig: ['s.disk_config', 'exact'],
  imageId: ['s.image_id', 'uuid'],
  flavorId: ['s.flavor_id', 'exact'],
  host: ['s.host', 'exact'],
  vmState: ['s.vm_state', 'oneOf'],
  taskState: ['s.task_state', 'oneOf'],
  powerState: ['s.power_state', 'exact'],
  launchIndex: ['s.launch_index', 'exact'],
  configDrive: ['s.config_drive', 'flag'],
  locked: ['s.locked_by', 'set'],
  createdAt: ['s.created_at', 'time'],
  launchedAt: ['s.launched_at', 'time'],
  terminatedAt: ['s.terminated_at', 'time'],
  ip: ['4', 'address4'],
  ip6: ['6', 'address6'],
  tags: ['s.tags @>', 'tags'],
  tagsAny: ['s.tags &&', 'tags'],
  notTags: ['not s.tags @>', 'tags'],
  notTagsAny: ['not s.tags &&', 'tags'],
} as const satisfies Record<string, readonly [string, Kind]>;
export type ServerFilterName = keyof typeof FILTERS;

/** Sort keys as Nova names them. */
export const SERVER_SORT_COLUMNS: Readonly<Record<string, string>> = {
  access_ip_v4: 's.access_ip_v4',
  access_ip_v6: 's.access_ip_v6',
  auto_disk_config: 's.disk_config',
  availability_zone: 's.availability_zone',
  config_drive: 's.config_drive',
  created_at: 's.created_at',
  display_description: 's.description',
  display_name: 's.name',
  host: 's.host',
  hostname: 's.hostname',
  image_ref: 's.image_id',
  instance_type_id: 's.flavor_id',
  key_name: 's.key_name',
  launch_index: 's.launch_index',
  launched_at: 's.launched_at',
  locked: 's.locked_by',
  locked_by: 's.locked_by',
  node: 's.host',
  power_state: 's.power_state',
  project_id: 's.project_id',
  task_state: 's.task_state',
  terminated_at: 's.terminated_at',
  updated_at: 's.updated_at',
  user_id: 's.user_id',
  uuid: 's.id',
  vm_state: 's.vm_state',
};
const NOT_NULL = new Set(
  [
    'access_ip_v4 access_ip_v6 disk_config config_drive created_at name hostname flavor_id launch_index power_state',
    'project_id updated_at user_id id vm_state',
  ]
    .join(' ')
    .split(' ')
    .map((column) => `s.${column}`),
);

export interface ServerQuery {
  /** All must hold. `oneOf` and tag filters take lists. */
  readonly where: readonly { readonly filter: ServerFilterName; readonly value: unknown }[];
  /** At least one must hold: pairs of states, as a status is made of; undefined: any. */
  readonly states?: readonly { readonly vmStates: readonly string[]; readonly tasks?: readonly (string | null)[] }[];
  readonly deleted: 'no' | 'only' | 'any';
  readonly changedSince?: Date | undefined;
  readonly changedBefore?: Date | undefined;
  readonly sorts: readonly { readonly key: string; readonly direction: 'asc' | 'desc' }[];
  readonly marker?: string | undefined;
  readonly limit: number;
}

const FROM = {
  no: 'server s',
  only: 'deleted_server s',
  any: '(select * from server union all select * from deleted_server) s',
} as const;
/** As the default order of lists, for which there is an index. */
const NEWEST_FIRST: readonly SortKey[] = [
  { column: 's.created_at', direction: 'desc' },
  { column: 's.id', direction: 'desc' },
];
const PATTERN_TIMEOUT_MS = 2_000;
const INVALID_REGEX = '2201B';

interface Built {
  readonly text: string;
  readonly params: readonly unknown[];
  /** Prepared once where the text is one of a few. */
  readonly name: string | undefined;
  readonly pattern: boolean;
}

/** Whole rows; one more than the limit where there is a next page. */
export const listServers = (db: Db, query: ServerQuery): Promise<Server[]> =>
  run<Server>(db, build(query, SERVER_COLUMNS));

/** Ids and names only. */
export const listServerNames = (db: Db, query: ServerQuery): Promise<{ id: string; name: string }[]> =>
  run<{ id: string; name: string }>(db, build(query, 's.id, s.name'));

async function run<T>(db: Db, built: Built): Promise<T[]> {
  const statement = built.name === undefined ? built.text : { name: built.name, text: built.text };
  if (!built.pattern) return db.query<T>(statement, built.params);
  try {
    return await db.tx(async (tx) => {
      await tx.exec(`set local statement_timeout = ${PATTERN_TIMEOUT_MS}`);
      return tx.query<T>(built.text, built.params);
    });
  } catch (error) {
    if (error instanceof QueryError && error.code === INVALID_REGEX)
      throw fail.invalid('Invalid input for query parameters: not a regular expression.', { cause: error });
    throw error;
  }
}

function build(query: ServerQuery, columns: string): Built {
  const params: unknown[] = [];
  const add = (value: unknown): string => `$${params.push(value)}`;
  const where = query.where.map(({ filter, value }) => condition(filter, value, add));
  if (query.states) where.push(statesCondition(query.states, add));
  if (query.changedSince) where.push(`s.updated_at >= ${add(query.changedSince)}`);
  if (query.changedBefore) where.push(`s.updated_at <= ${add(query.changedBefore)}`);
  const from = FROM[query.deleted];
  const sorts = query.sorts.length ? query.sorts.map(sortKey) : NEWEST_FIRST;
  const page = keyset({ from, sorts, id: 's.id', marker: query.marker, limit: query.limit + 1 }, params);
  const text = `select ${columns} from ${from} where ${[...where, page.where].join(' and ')} ${page.tail}`;
  return { text, params: page.params, name: nameOf(query, columns), pattern: text.includes('~*') };
}

/** Only the plainest lists are prepared: a client must not be able to fill the server with statements. */
function nameOf(query: ServerQuery, columns: string): string | undefined {
  const plain = query.deleted === 'no' && !query.states && !query.changedSince && !query.changedBefore;
  if (!plain || query.sorts.length || query.marker !== undefined) return undefined;
  const filters = query.where.map(({ filter }) => filter).join();
  if (filters !== '' && filters !== 'projectId') return undefined;
  return `server.list.${columns.length}.${filters}`;
}

function sortKey({ key, direction }: ServerQuery['sorts'][number]): SortKey {
  const column = SERVER_SORT_COLUMNS[key]!;
  return { column, direction, nullable: !NOT_NULL.has(column) };
}

type Add = (value: unknown) => string;

function condition(filter: ServerFilterName, value: unknown, add: Add): string {
  const [column, kind]: readonly [string, Kind] = FILTERS[filter];
  switch (kind) {
    case 'exact':
      return `${column} = ${add(value)}`;
    case 'uuid':
      return typeof value === 'string' && isUuid(value) ? `${column} = ${add(value)}` : 'false';
    case 'oneOf':
      return `${column} = any (${add(value)})`;
    case 'flag':
      return `${column} = ${add(value)}`;
    case 'set':
      return value ? `${column} is not null` : `${column} is null`;
    case 'time':
      return `date_trunc('second', ${column}) = ${add(value)}`;
    case 'tags':
      return `(${column} ${add(value)}::text[])`;
    case 'text': {
      const match = textMatch(String(value), filter);
      return `${column} ${match.operator} ${add(match.value)}`;
    }
    default:
      return addressCondition(column, filter, String(value), add);
  }
}

function addressCondition(version: string, filter: string, pattern: string, add: Add): string {
  const match = textMatch(pattern, filter);
  return `exists (select 1 from jsonb_array_elements(s.addresses) i, jsonb_array_elements(i -> 'fixedIps') a
    where a ->> 'version' = '${version}' and a ->> 'address' ${match.operator} ${add(match.value)})`;
}

function statesCondition(states: NonNullable<ServerQuery['states']>, add: Add): string {
  const alternatives = states.map(({ vmStates, tasks }) => {
    const vm = `s.vm_state = any (${add(vmStates)})`;
    if (!tasks) return `(${vm})`;
    const named = add(tasks.filter((task) => task !== null));
    const idle = tasks.includes(null) ? ' or s.task_state is null' : '';
    return `(${vm} and (s.task_state = any (${named})${idle}))`;
  });
  return alternatives.length ? `(${alternatives.join(' or ')})` : 'false';
}

/** Whether a server may be a marker, for any project or one. */
export async function serverExists(
  on: Sql,
  id: string,
  deleted: ServerQuery['deleted'],
  projectId?: string,
): Promise<boolean> {
  if (!isUuid(id)) return false;
  const row = await on.one(
    `select 1 from ${FROM[deleted]} where s.id = $1 and ($2::text is null or s.project_id = $2)`,
    [id, projectId ?? null],
  );
  return row !== undefined;
}
