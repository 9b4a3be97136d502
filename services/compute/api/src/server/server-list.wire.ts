/**
 * The query string of a list of servers: which parameter filters what, for whom, and since when. A parameter that does not
 * apply to the caller is dropped, as stock services do below 2.75.
 */
import { type TSchema, Type } from 'typebox';
import { fail } from '#libs/kernel';
import type { Call } from '#libs/platform/http';
import { during } from '#libs/wire';
import { SERVER_SORT_COLUMNS, type ServerFilterName, type ServerQuery } from '#services/compute/data';
import { last, looseQuery, pageSize } from '../paging.wire.js';
import { timeOf, truthOf } from '../values.wire.js';
import { isStatus, statesOf } from './server.status.js';

type Reading = (text: string, parameter: string) => unknown;

const plain: Reading = (text) => text;
const time: Reading = (text, parameter) => timeOf(text, parameter);
const flag: Reading = (text, parameter) => {
  const value = truthOf(text);
  if (value === undefined) throw bad(parameter, text);
  return value;
};
const int: Reading = (text, parameter) => {
  if (!/^-?\d{1,9}$/.test(text)) throw bad(parameter, text);
  return Number(text);
};
const oneOf: Reading = (text) => [text.toLowerCase()];
const tagList: Reading = (text) => text.split(',');

const bad = (parameter: string, text: string) =>
  fail.invalid(`Invalid input for query parameters ${parameter}. Value: ${text.slice(0, 80)}.`);

interface Filter {
  readonly filter: ServerFilterName;
  readonly read: Reading;
  /** From this version on anyone may use it; undefined: administrators alone. */
  readonly forAll?: string;
  readonly since?: string;
}
const filter = (name: ServerFilterName, read: Reading, forAll?: string, since?: string): Filter => ({
  filter: name,
  read,
  ...(forAll ? { forAll } : {}),
  ...(since ? { since } : {}),
});

const FILTERS: Readonly<Record<string, Filter>> = {
  name: filter('name', plain, '2.1'),
  display_name: filter('name', plain),
  image: filter('imageId', plain, '2.1'),
  image_ref: filter('imageId', plain),
  flavor: filter('flavorId', plain, '2.1'),
  ip: filter('ip', plain, '2.1'),
  ip6: filter('ip6', plain, '2.5'),
  reservation_id: filter('reservationId', plain, '2.1'),
  tags: filter('tags', tagList, '2.26', '2.26'),
  'tags-any': filter('tagsAny', tagList, '2.26', '2.26'),
  'not-tags': filter('notTags', tagList, '2.26', '2.26'),
  'not-tags-any': filter('notTagsAny', tagList, '2.26', '2.26'),
  locked: filter('locked', flag, '2.73', '2.73'),
  availability_zone: filter('availabilityZone', plain, '2.83'),
  config_drive: filter('configDrive', flag, '2.83'),
  key_name: filter('keyName', plain, '2.83'),
  created_at: filter('createdAt', time, '2.83'),
  launched_at: filter('launchedAt', time, '2.83'),
  terminated_at: filter('terminatedAt', time, '2.83'),
  power_state: filter('powerState', int, '2.83'),
  task_state: filter('taskState', oneOf, '2.83'),
  vm_state: filter('vmState', oneOf, '2.83'),
  user_id: filter('userId', plain, '2.83'),
  uuid: filter('id', plain),
  host: filter('host', plain),
  node: filter('host', plain),
  hostname: filter('hostname', plain, '2.90'),
  description: filter('description', plain),
  display_description: filter('description', plain),
  locked_by: filter('lockedBy', plain),
  launch_index: filter('launchIndex', int),
  access_ip_v4: filter('accessIpV4', plain),
  access_ip_v6: filter('accessIpV6', plain),
  auto_disk_config: filter('diskConfig', plain),
};

/** Known to stock services, without a meaning here. */
const IGNORED = ['progress', 'kernel_id', 'ramdisk_id', 'root_device_name', 'soft_deleted'];
/** Never filters, though those who may use all of them are told so instead of being shown everything. */
const NO_FILTERS =
  'block_device_mapping services metadata system_metadata info_cache security_groups pci_devices'.split(' ');

const texts = (since?: string): TSchema =>
  Type.Optional(Type.Array(Type.String({ maxLength: 1_000 }), { maxItems: 100, ...(since ? during({ since }) : {}) }));

const schema: Record<string, TSchema> = {
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  marker: Type.Optional(Type.String({ maxLength: 255 })),
  ...Object.fromEntries(
    [
      'sort_key',
      'sort_dir',
      'all_tenants',
      'project_id',
      'tenant_id',
      'status',
      'deleted',
      'changes-since',
      ...IGNORED,
      ...NO_FILTERS,
    ].map((name) => [name, texts()]),
  ),
  'changes-before': texts('2.66'),
  ...Object.fromEntries(Object.entries(FILTERS).map(([name, { since }]) => [name, texts(since)])),
};
export const serversQuery = looseQuery(schema);

export interface ListRights {
  /** May list for all projects. */
  readonly allProjects: boolean;
  /** May use every filter. */
  readonly allFilters: boolean;
}

type ListCall = Call<undefined, Record<string, unknown>>;

/** Nothing can match: the list is empty without asking. */
export const NOTHING = Symbol('nothing matches');

/** The query that a request means. Throws `invalid` or `forbidden`. */
export function listQuery(call: ListCall, rights: ListRights): ServerQuery | typeof NOTHING {
  const given = (name: string): readonly string[] | undefined => call.query[name] as readonly string[] | undefined;
  const none = NO_FILTERS.find((name) => given(name) !== undefined);
  if (none !== undefined && rights.allFilters) throw fail.invalid(`Invalid filter field: ${none}.`);
  const states = stateFilter(given('status'), call.version, rights);
  if (states === NOTHING) return NOTHING;
  const changedSince = timeGiven(given, 'changes-since');
  const changedBefore = timeGiven(given, 'changes-before');
  if (changedSince && changedBefore && changedSince > changedBefore)
    throw fail.invalid('The value of changes-since must be less than or equal to changes-before.');
  return {
    where: [...scopeFilter(call, given, rights), ...filters(call, given, rights)],
    ...(states ? { states } : {}),
    deleted: deletedFilter(given, rights, Boolean(changedSince ?? changedBefore)),
    changedSince,
    changedBefore,
    sorts: sortsOf(given, call.version, rights),
    marker: call.query['marker'] as string | undefined,
    limit: pageSize(call.query['limit'] as number | undefined),
  };
}

type Given = (name: string) => readonly string[] | undefined;

function timeGiven(given: Given, name: string): Date | undefined {
  const text = last(given(name));
  return text === undefined ? undefined : timeOf(text, name);
}

const minor = (version: string): number => 2_000 + Number(version.split('.')[1]);

function filters(call: ListCall, given: Given, rights: ListRights): ServerQuery['where'] {
  return Object.entries(FILTERS).flatMap(([name, { filter: target, read, forAll }]) => {
    const text = last(given(name));
    const allowed = rights.allFilters || (forAll !== undefined && minor(forAll) <= call.version);
    return text === undefined || !allowed ? [] : [{ filter: target, value: read(text, name) }];
  });
}

/** Everyone sees the own project; administrators may widen that, and only then narrow it to another one. */
function scopeFilter(call: ListCall, given: Given, rights: ListRights): ServerQuery['where'] {
  const word = last(given('all_tenants'));
  const all = word === undefined ? false : word === '' || flag(word, 'all_tenants');
  if (!all) return [{ filter: 'projectId', value: call.who.projectId ?? '' }];
  if (!rights.allProjects)
    throw fail.forbidden("Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed.");
  const project = last(given('project_id')) ?? last(given('tenant_id'));
  return project === undefined ? [] : [{ filter: 'projectId', value: project }];
}

const SINCE_STRICT_STATUS = 2_038;

function stateFilter(
  words: readonly string[] | undefined,
  version: number,
  rights: ListRights,
): ServerQuery['states'] | typeof NOTHING {
  if (!words?.length) return undefined;
  const statuses = words.map((word) => word.toUpperCase());
  const unknown = statuses.find((word) => !isStatus(word));
  if (unknown !== undefined && version >= SINCE_STRICT_STATUS) throw fail.invalid('Invalid status value');
  if (statuses.includes('DELETED') && !rights.allFilters)
    throw fail.forbidden('Only administrators may list deleted instances');
  const states = statesOf(statuses);
  return states.length ? states : NOTHING;
}

function deletedFilter(given: Given, rights: ListRights, byChange: boolean): ServerQuery['deleted'] {
  const word = last(given('deleted'));
  if (word !== undefined && rights.allFilters) return truthOf(word) ? 'only' : 'no';
  if (given('status')?.some((status) => status.toUpperCase() === 'DELETED')) return 'only';
  return byChange ? 'any' : 'no';
}

const FOR_ADMINISTRATORS = ['host', 'node'];
/** Sort keys that change nothing: of things that servers here do not have. */
const UNSORTED: ReadonlySet<string> = new Set(['kernel_id', 'progress', 'ramdisk_id', 'root_device_name']);
/** Sort keys that once were taken and never sorted. They are refused from 2.75 on. */
const IGNORED_SORTS: ReadonlySet<string> = new Set(
  (
    'architecture cell_name cleaned default_ephemeral_device default_swap_device deleted deleted_at disable_terminate ' +
    'ephemeral_gb ephemeral_key_uuid id key_data launched_on memory_mb os_type reservation_id root_gb shutdown_terminate ' +
    'user_data vcpus vm_mode'
  ).split(' '),
);
const SINCE_LOCKED_SORT = 2_073;
const SINCE_STRICT_SORT = 2_075;

function sortsOf(given: Given, version: number, rights: ListRights): ServerQuery['sorts'] {
  const directions = given('sort_dir') ?? [];
  const keys = given('sort_key') ?? (directions.length ? ['created_at'] : []);
  if (directions.length > keys.length) throw fail.invalid('Sort direction size exceeds sort key size');
  const secret = keys.find((key) => FOR_ADMINISTRATORS.includes(key));
  if (secret && !rights.allFilters) throw fail.forbidden(`Only administrators can sort servers by ${secret}`);
  return keys.flatMap((key, index) => {
    const direction = directions[index] ?? directions[0] ?? 'desc';
    if (direction !== 'asc' && direction !== 'desc') throw bad('sort_dir', direction);
    if (UNSORTED.has(key) || (key === 'locked' && version < SINCE_LOCKED_SORT)) return [];
    if (IGNORED_SORTS.has(key) && version < SINCE_STRICT_SORT) return [];
    if (!Object.hasOwn(SERVER_SORT_COLUMNS, key)) throw bad('sort_key', key);
    return [{ key, direction }];
  });
}
