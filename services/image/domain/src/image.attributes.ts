/**
 * Which fields of an image a request may set, and to what. One table serves creation and change, so that no path can
 * set what the other refuses (status, size, checksum, locations, ...).
 */
import { fail } from '#libs/kernel';
import { CONTAINER_FORMATS, DISK_FORMATS, type Editable, VISIBILITIES } from './image.js';

export const READ_ONLY = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'direct_url',
  'self',
  'file',
  'schema',
  'stores',
  'id',
  'os_hash_algo',
  'os_hash_value',
]);
const RESERVED = new Set(['location', 'deleted', 'deleted_at']);
const RESERVED_NAMESPACE = 'os_glance_';

export const MAX_PROPERTIES = 128;
export const MAX_TAGS = 128;
const MAX_TEXT = 255;
const MAX_PROPERTY_VALUE = 65_535;
const MAX_INT = 2_147_483_647;

export interface Attribute {
  readonly name: string;
  readonly field: Exclude<keyof Editable, 'properties'>;
  readonly fits: (value: unknown) => boolean;
  readonly must: string;
}

const isText = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.length <= max && !value.includes('\0');
const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_INT;
const isOneOf =
  (list: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'string' && list.includes(value);
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
export const isTag = (value: unknown): value is string => isText(value, MAX_TEXT) && value.length > 0;

const TABLE: readonly Attribute[] = [
  {
    name: 'name',
    field: 'name',
    fits: (value) => value === null || isText(value, MAX_TEXT),
    must: 'be a string of at most 255 characters or null',
  },
  {
    name: 'visibility',
    field: 'visibility',
    fits: isOneOf(VISIBILITIES),
    must: `be one of ${VISIBILITIES.join(', ')}`,
  },
  {
    name: 'owner',
    field: 'owner',
    fits: (value) => isText(value, MAX_TEXT) && value.length > 0,
    must: 'be the id of a project',
  },
  {
    name: 'disk_format',
    field: 'diskFormat',
    fits: (value) => value === null || isOneOf(DISK_FORMATS)(value),
    must: `be one of ${DISK_FORMATS.join(', ')} or null`,
  },
  {
    name: 'container_format',
    field: 'containerFormat',
    fits: (value) => value === null || isOneOf(CONTAINER_FORMATS)(value),
    must: `be one of ${CONTAINER_FORMATS.join(', ')} or null`,
  },
  { name: 'min_disk', field: 'minDisk', fits: isCount, must: 'be a whole number of gigabytes, not negative' },
  { name: 'min_ram', field: 'minRam', fits: isCount, must: 'be a whole number of megabytes, not negative' },
  { name: 'protected', field: 'protected', fits: isBoolean, must: 'be true or false' },
  { name: 'os_hidden', field: 'hidden', fits: isBoolean, must: 'be true or false' },
  {
    name: 'tags',
    field: 'tags',
    fits: (value) => Array.isArray(value) && value.every(isTag),
    must: 'be a list of strings of at most 255 characters',
  },
];

const BY_NAME = new Map(TABLE.map((row) => [row.name, row]));
export const attribute = (name: string): Attribute | undefined => BY_NAME.get(name);

/** Throws where no request may ever touch the field. */
export function checkTouchable(name: string): void {
  if (READ_ONLY.has(name)) throw fail.forbidden(`Attribute '${name}' is read-only.`);
  if (RESERVED.has(name) || name.startsWith(RESERVED_NAMESPACE))
    throw fail.forbidden(`Attribute '${name}' is reserved.`);
  if (name === 'locations') throw fail.forbidden("It's not allowed to add, remove or replace locations.");
}

/** The attribute's value, or throws `invalid` naming it. */
export function checkAttribute(row: Attribute, value: unknown): unknown {
  if (!row.fits(value))
    throw fail.invalid(`Provided object does not match schema 'image': '${row.name}' must ${row.must}.`);
  return row.field === 'tags' ? dedupe(value as readonly string[]) : value;
}

/** A custom property: any name that is not the API's own, with a string as its value. */
export function checkProperty(name: string, value: unknown): string {
  if (!name.length || name.length > MAX_TEXT)
    throw fail.invalid('Custom property should not be greater than 255 characters.');
  if (name === '__proto__' || name.includes('\0')) throw fail.invalid('The name of a custom property is not valid.');
  if (!isText(value, MAX_PROPERTY_VALUE))
    throw fail.invalid(`Provided object does not match schema 'image': '${name}' must be a string.`);
  return value;
}

export function checkCounts(image: Pick<Editable, 'properties' | 'tags'>): void {
  const properties = Object.keys(image.properties).length;
  if (properties > MAX_PROPERTIES)
    throw fail.tooLarge(
      `The limit has been exceeded on the number of allowed image properties. Attempted: ${properties}, Maximum: ${MAX_PROPERTIES}`,
    );
  if (image.tags.length > MAX_TAGS)
    throw fail.tooLarge(
      `The limit has been exceeded on the number of allowed image tags. Attempted: ${image.tags.length}, Maximum: ${MAX_TAGS}`,
    );
}

const AMAZON = ['ami', 'ari', 'aki'];

/** Amazon's formats go together: if either is one of them, both must be the same. */
export function checkFormats(image: Pick<Editable, 'diskFormat' | 'containerFormat'>): void {
  const { diskFormat: disk, containerFormat: container } = image;
  const amazon = AMAZON.includes(disk ?? '') || AMAZON.includes(container ?? '');
  if (amazon && disk && container && disk !== container)
    throw fail.invalid(
      `Invalid mix of disk and container formats: disk_format ${disk} needs container_format ${disk}.`,
    );
}

const dedupe = (tags: readonly string[]): string[] => [...new Set(tags)];
