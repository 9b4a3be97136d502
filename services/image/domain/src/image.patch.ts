/**
 * JSON patches of an image, in the two shapes that clients send: `{"replace": "/name", "value": ...}` (media type v2.0)
 * and `{"op": "replace", "path": "/name", "value": ...}` (v2.1). Reading and applying are pure; nothing half-applies.
 */
import { fail } from '#libs/kernel';
import {
  attribute,
  checkAttribute,
  checkCounts,
  checkFormats,
  checkProperty,
  checkTouchable,
} from './image.attributes.js';
import type { Editable, Image } from './image.js';

const OPERATIONS = ['add', 'remove', 'replace'] as const;
type Operation = (typeof OPERATIONS)[number];

export interface Change {
  readonly op: Operation;
  readonly name: string;
  readonly value?: unknown;
  /** The older shape refuses to add what is there already. */
  readonly strictAdd: boolean;
}

type Draft = 'v2.0' | 'v2.1';
const MEDIA: Readonly<Record<string, Draft>> = {
  'application/openstack-images-v2.0-json-patch': 'v2.0',
  'application/openstack-images-v2.1-json-patch': 'v2.1',
};
const MAX_CHANGES = 512;

/** Reads a patch. Throws `unsupportedMedia`, `invalid`, or `forbidden` for a field that nobody may touch. */
export function readPatch(mediaType: string | undefined, body: unknown): Change[] {
  const draft = MEDIA[(mediaType ?? '').split(';')[0]!.trim().toLowerCase()];
  if (!draft) throw fail.unsupportedMedia(`Image PATCH expects Content-Type one of: ${Object.keys(MEDIA).join(', ')}`);
  if (!Array.isArray(body)) throw fail.invalid('Request body must be a JSON array of operation objects.');
  if (body.length > MAX_CHANGES) throw fail.tooLarge(`A patch may hold at most ${MAX_CHANGES} operations.`);
  return body.map((raw: unknown) => readChange(raw, draft));
}

function readChange(raw: unknown, draft: Draft): Change {
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw))
    throw fail.invalid('Operations must be JSON objects.');
  const given = raw as Readonly<Record<string, unknown>>;
  const { op, path } = draft === 'v2.1' ? shapeOfTen(given) : shapeOfFour(given);
  if (typeof path !== 'string') throw fail.invalid('The path of an operation must be a string.');
  const [name, ...rest] = readPointer(path);
  if (name === undefined) throw fail.invalid(`Invalid JSON pointer for this resource: '${path}'`);
  checkTouchable(name);
  if (rest.length) throw fail.invalid(`Invalid JSON pointer for this resource: '${path}'`);
  const strictAdd = draft === 'v2.0';
  if (op === 'remove') return { op, name, strictAdd };
  if (!Object.hasOwn(given, 'value')) throw fail.invalid(`Operation "${op}" requires a member named "value".`);
  const row = attribute(name);
  const value = row ? checkAttribute(row, given['value']) : checkProperty(name, given['value']);
  return { op, name, value, strictAdd };
}

function shapeOfTen(given: Readonly<Record<string, unknown>>): { op: Operation; path: unknown } {
  const op = OPERATIONS.find((known) => known === given['op']);
  if (!op) throw fail.invalid(`Invalid operation: it must be one of the following: ${OPERATIONS.join(', ')}.`);
  if (!Object.hasOwn(given, 'path')) throw fail.invalid("Unable to find 'path' in JSON Schema change");
  return { op, path: given['path'] };
}

function shapeOfFour(given: Readonly<Record<string, unknown>>): { op: Operation; path: unknown } {
  const found = OPERATIONS.filter((known) => Object.hasOwn(given, known));
  if (found.length !== 1)
    throw fail.invalid('Operation objects must contain exactly one member named "add", "remove", or "replace".');
  return { op: found[0]!, path: given[found[0]!] };
}

/** The parts of a JSON pointer. Throws `invalid`. */
export function readPointer(pointer: string): string[] {
  if (!pointer.startsWith('/')) throw fail.invalid(`Pointer \`${pointer}\` does not start with "/".`);
  if (/~(?![01])/.test(pointer))
    throw fail.invalid(`Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`);
  const parts = pointer.slice(1).split('/');
  if (parts.some((part) => !part.trim())) throw fail.invalid(`Pointer \`${pointer}\` has an empty part.`);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~').trim());
}

const FIXED_BY_BYTES = new Set(['disk_format', 'container_format']);

/** The image's editable fields after the changes. Throws `conflict` or `forbidden` and changes nothing. */
export function applyPatch(image: Image, changes: readonly Change[]): Editable {
  const fields: Record<string, unknown> = { ...editable(image) };
  const properties: Record<string, string> = { ...image.properties };
  for (const change of changes) {
    const row = attribute(change.name);
    if (!row) applyToProperty(properties, change);
    else if (change.op === 'remove') throw fail.forbidden(`Property ${change.name} may not be removed.`);
    else if (change.op === 'add' && change.strictAdd) throw fail.conflict(`Property ${change.name} already present.`);
    else if (FIXED_BY_BYTES.has(change.name) && image.status !== 'queued')
      throw fail.forbidden(`Attribute ${change.name} can be only replaced for a queued image.`);
    else fields[row.field] = change.value;
  }
  const after = { ...(fields as unknown as Editable), properties };
  checkCounts(after);
  checkFormats(after);
  return after;
}

function applyToProperty(properties: Record<string, string>, change: Change): void {
  const present = Object.hasOwn(properties, change.name);
  if (change.op !== 'add' && !present) throw fail.conflict(`Property ${change.name} does not exist.`);
  if (change.op === 'add' && present && change.strictAdd)
    throw fail.conflict(`Property ${change.name} already present.`);
  if (change.op === 'remove') delete properties[change.name];
  else properties[change.name] = change.value as string;
}

/** The editable part of an image. */
export const editable = (image: Image): Editable => ({
  name: image.name,
  visibility: image.visibility,
  owner: image.owner,
  diskFormat: image.diskFormat,
  containerFormat: image.containerFormat,
  minDisk: image.minDisk,
  minRam: image.minRam,
  protected: image.protected,
  hidden: image.hidden,
  properties: image.properties,
  tags: image.tags,
});
