/** What a list request asks for: filters, order and page, from query text to data. Unknown keys are custom properties. */
import { fail } from '#libs/kernel';
import { MEMBER_STATUSES, type MemberStatus, VISIBILITIES, type Visibility } from './image.js';

export const SORT_KEYS = [
  'name',
  'status',
  'container_format',
  'disk_format',
  'size',
  'id',
  'created_at',
  'updated_at',
] as const;
export type ImageSortKey = (typeof SORT_KEYS)[number];
export type TimeOperator = 'gt' | 'gte' | 'lt' | 'lte' | 'eq' | 'neq';

export type ImageFilter =
  | {
      readonly kind: 'oneOf';
      readonly column: 'name' | 'id' | 'status' | 'disk_format' | 'container_format';
      readonly values: readonly string[];
    }
  | {
      readonly kind: 'text';
      readonly column: 'owner' | 'checksum' | 'os_hash_value' | 'os_hash_algo';
      readonly value: string;
    }
  | {
      readonly kind: 'number';
      readonly column: 'size' | 'min_disk' | 'min_ram' | 'virtual_size';
      readonly op: '=' | '>=' | '<=';
      readonly value: number;
    }
  | {
      readonly kind: 'time';
      readonly column: 'created_at' | 'updated_at';
      readonly op: TimeOperator;
      readonly value: Date;
    }
  | { readonly kind: 'protected'; readonly value: boolean }
  | { readonly kind: 'property'; readonly name: string; readonly value: string };

export interface ImageQuery {
  readonly filters: readonly ImageFilter[];
  readonly tags: readonly string[];
  readonly visibility: Visibility | 'all' | undefined;
  readonly memberStatus: MemberStatus | 'all';
  readonly hidden: boolean;
  readonly sorts: readonly { readonly key: ImageSortKey; readonly direction: 'asc' | 'desc' }[];
  readonly limit: number;
  readonly marker: string | undefined;
}

type Given = Readonly<Record<string, string | string[] | undefined>>;

export const DEFAULT_LIMIT = 25;
export const MAX_LIMIT = 1_000;

/** Throws `invalid` with a sentence that names the parameter. */
export function readImageQuery(given: Given): ImageQuery {
  const filters: ImageFilter[] = [];
  for (const [name, raw] of Object.entries(given)) {
    if (raw === undefined || PAGE_KEYS.has(name)) continue;
    const value = Array.isArray(raw) ? raw.at(-1)! : raw;
    if (value.includes('\0') || name.includes('\0'))
      throw fail.invalid(`The value of '${name.replaceAll('\0', '')}' is not valid.`);
    filters.push(filterOf(name, value));
  }
  return {
    filters,
    tags: listOf(given['tag']).map((tag) => tag.trim()),
    visibility: visibilityOf(last(given['visibility'])),
    memberStatus: memberStatusOf(last(given['member_status']) ?? 'accepted'),
    hidden: booleanOf('os_hidden', last(given['os_hidden'])?.toLowerCase() ?? 'false'),
    sorts: sortsOf(given),
    limit: limitOf(last(given['limit'])),
    marker: last(given['marker']),
  };
}

const PAGE_KEYS = new Set([
  'limit',
  'marker',
  'sort',
  'sort_key',
  'sort_dir',
  'tag',
  'visibility',
  'member_status',
  'os_hidden',
]);
const listOf = (raw: string | string[] | undefined): string[] =>
  raw === undefined ? [] : Array.isArray(raw) ? raw : [raw];
const last = (raw: string | string[] | undefined): string | undefined => listOf(raw).at(-1);

function filterOf(name: string, value: string): ImageFilter {
  switch (name) {
    case 'name':
    case 'id':
    case 'status':
    case 'disk_format':
    case 'container_format':
      return { kind: 'oneOf', column: name, values: valuesOf(name, value) };
    case 'owner':
    case 'checksum':
    case 'os_hash_value':
    case 'os_hash_algo':
      return { kind: 'text', column: name, value };
    case 'size':
    case 'min_disk':
    case 'min_ram':
    case 'virtual_size':
      return { kind: 'number', column: name, op: '=', value: integerOf(name, value) };
    case 'size_min':
    case 'size_max':
      return { kind: 'number', column: 'size', op: name === 'size_min' ? '>=' : '<=', value: integerOf(name, value) };
    case 'created_at':
    case 'updated_at':
      return timeOf(name, value);
    case 'protected':
      return { kind: 'protected', value: booleanOf(name, value) };
    case 'deleted':
    case 'changes-since':
      throw fail.invalid(`The "${name}" filter is no longer available on v2.`);
    default:
      return { kind: 'property', name, value };
  }
}

/** `in:a,b,"with, comma"` is a list; any other text one value. */
function valuesOf(name: string, text: string): string[] {
  if (text.startsWith('in:')) return splitQuoted(name, text.slice(3));
  if (/^(neq|eq|gte|gt|lte|lt):/.test(text) && name !== 'name')
    throw fail.invalid(`Unable to filter by unknown operator '${text.split(':')[0]}'.`);
  return [text.startsWith('eq:') ? text.slice(3) : text];
}

function splitQuoted(name: string, text: string): string[] {
  const part = /\s*(?:"((?:[^"\\]|\\.)*)"|([^",]*))\s*(,|$)/gy;
  const values: string[] = [];
  while (true) {
    const match = part.exec(text);
    if (!match) throw fail.invalid(`Invalid filter value of '${name}': the quotes do not match.`);
    values.push(match[1] === undefined ? match[2]!.trim() : match[1].replace(/\\(.)/g, '$1'));
    if (match[3] === '' || part.lastIndex > text.length) return values;
  }
}

function integerOf(name: string, text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text.trim()) || !Number.isSafeInteger(value))
    throw fail.invalid(`Filter '${name}' must be an integer.`);
  if (value < 0) throw fail.invalid(`Filter '${name}' must not be negative.`);
  return value;
}

function timeOf(column: 'created_at' | 'updated_at', text: string): ImageFilter {
  const match = /^(gte|gt|lte|lt|eq|neq):(.*)$/s.exec(text);
  const stamp = match ? match[2]! : text;
  if (!match && /^[a-z]+:/i.test(text))
    throw fail.invalid(`Unable to filter on a range with an unknown operator in '${column}'.`);
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(stamp) || !stamp.includes('T') ? stamp : `${stamp}Z`;
  const value = new Date(zoned);
  if (!/^\d{4}-\d\d-\d\d/.test(stamp) || Number.isNaN(value.getTime()))
    throw fail.invalid(`Invalid time '${stamp}' in '${column}'.`);
  return { kind: 'time', column, op: (match?.[1] ?? 'eq') as TimeOperator, value };
}

function booleanOf(name: string, text: string): boolean {
  if (text !== 'true' && text !== 'false')
    throw fail.invalid(`Invalid value '${text}' for '${name}' filter. Valid values are 'true' or 'false'.`);
  return text === 'true';
}

function visibilityOf(text: string | undefined): Visibility | 'all' | undefined {
  if (text === undefined || text === 'all') return text;
  const known = VISIBILITIES.find((visibility) => visibility === text);
  if (!known) throw fail.invalid(`Invalid visibility value: ${text}`);
  return known;
}

function memberStatusOf(text: string): MemberStatus | 'all' {
  const known = ([...MEMBER_STATUSES, 'all'] as const).find((status) => status === text);
  if (!known) throw fail.invalid(`Invalid status: ${text}`);
  return known;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (!/^-?\d+$/.test(text)) throw fail.invalid('limit param must be an integer');
  if (text.startsWith('-')) throw fail.invalid('limit param must be positive');
  return Math.min(Number(text), MAX_LIMIT);
}

function sortsOf(given: Given): ImageQuery['sorts'] {
  const sort = last(given['sort']);
  const keys = listOf(given['sort_key']);
  const dirs = listOf(given['sort_dir']);
  if (sort !== undefined) {
    if (keys.length || dirs.length) throw fail.invalid('Old and new sorting syntax cannot be combined');
    return sort.split(',').map((part) => {
      const [key, direction] = part.split(':');
      return sortOf(key!, direction || 'desc');
    });
  }
  if (dirs.length > 1 && dirs.length !== keys.length)
    throw fail.invalid('Number of sort dirs does not match the number of sort keys');
  return (keys.length ? keys : ['created_at']).map((key, index) => sortOf(key, dirs[index] ?? dirs[0] ?? 'desc'));
}

function sortOf(keyText: string, directionText: string): ImageQuery['sorts'][number] {
  const key = SORT_KEYS.find((known) => known === keyText.trim());
  if (!key)
    throw fail.invalid(`Invalid sort key: ${keyText}. It must be one of the following: ${SORT_KEYS.join(', ')}.`);
  const direction = directionText.trim();
  if (direction !== 'asc' && direction !== 'desc') throw fail.invalid(`Invalid sort direction: ${direction}`);
  return { key, direction };
}
