/** From the body of a creation to a new image, or to the first reason against it. */
import { fail, isUuid } from '#libs/kernel';
import {
  attribute,
  checkAttribute,
  checkCounts,
  checkFormats,
  checkProperty,
  checkTouchable,
} from './image.attributes.js';
import type { Editable, NewImage } from './image.js';

export interface CreationDefaults {
  readonly id: string;
  readonly owner: string;
}

/** The image that the body asks for. `id` may be chosen by the client; the owner is for the caller's policy to judge. */
export function planCreation(body: unknown, defaults: CreationDefaults): NewImage {
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw fail.invalid('The request body must be a JSON object.');
  const given = body as Readonly<Record<string, unknown>>;
  const set: Partial<Record<keyof Editable, unknown>> = {};
  const properties: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === 'id') continue;
    checkTouchable(name);
    const row = attribute(name);
    if (row) set[row.field] = checkAttribute(row, value);
    else properties[name] = checkProperty(name, value);
  }
  const image: NewImage = {
    ...DEFAULTS,
    owner: defaults.owner,
    ...(set as Partial<Editable>),
    properties,
    id: idOf(given, defaults),
  };
  checkCounts(image);
  checkFormats(image);
  return image;
}

const DEFAULTS = {
  name: null,
  visibility: 'shared',
  diskFormat: null,
  containerFormat: null,
  minDisk: 0,
  minRam: 0,
  protected: false,
  hidden: false,
  tags: [],
} as const;

function idOf(given: Readonly<Record<string, unknown>>, defaults: CreationDefaults): string {
  const id = given['id'];
  if (id === undefined) return defaults.id;
  if (typeof id !== 'string' || !isUuid(id))
    throw fail.invalid("Provided object does not match schema 'image': 'id' must be a UUID.");
  return id.toLowerCase();
}
