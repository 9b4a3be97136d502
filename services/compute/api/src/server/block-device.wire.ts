/** Disks of an order as they come in: the list of today, and the one that older clients send. */
import { type Static, Type } from 'typebox';
import { fail } from '#libs/kernel';
import { variants } from '#libs/wire';
import type { DeviceWish } from '#services/compute/domain';
import { Tag, Truth } from '../values.wire.js';

const shut = { additionalProperties: false } as const;
const Text = Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()]));
const Natural = Type.Optional(
  Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^[0-9]*$', maxLength: 20 }), Type.Null()]),
);
const Id = Type.Optional(Type.String({ maxLength: 255 }));

const older = {
  virtual_name: Type.Optional(Type.String({ maxLength: 255 })),
  volume_id: Id,
  snapshot_id: Id,
  volume_size: Natural,
  device_name: Type.Optional(Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._/-]*$' })),
  delete_on_termination: Type.Optional(Truth),
  no_device: Type.Optional(Type.Unknown()),
  connection_info: Type.Optional(Type.String({ maxLength: 65_535 })),
};
const today = {
  ...older,
  source_type: Type.Optional(
    Type.Union([Type.Literal('volume'), Type.Literal('image'), Type.Literal('snapshot'), Type.Literal('blank')]),
  ),
  uuid: Type.Optional(Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]*$' })),
  image_id: Id,
  destination_type: Type.Optional(Type.Union([Type.Literal('local'), Type.Literal('volume')])),
  guest_format: Text,
  device_type: Text,
  disk_bus: Text,
  boot_index: Type.Optional(
    Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]+$', maxLength: 20 }), Type.Null()]),
  ),
};
const plain = Type.Object(today, shut);
const tagged = Type.Object({ ...today, tag: Type.Optional(Tag) }, shut);
const typed = Type.Object({ ...today, tag: Type.Optional(Tag), volume_type: Text }, shut);
type Entry = Static<typeof typed>;
/** Tags were lost by accident between 2.33 and 2.41. */
const EntryBody = Type.Unsafe<Entry>(
  variants(['2.1', plain], ['2.32', tagged], ['2.33', plain], ['2.42', tagged], ['2.67', typed]),
);
const OlderBody = Type.Object(older, shut);

export const DEVICES = {
  block_device_mapping: Type.Optional(Type.Array(OlderBody, { maxItems: 64 })),
  block_device_mapping_v2: Type.Optional(Type.Array(EntryBody, { maxItems: 64 })),
};

const wrong = (details: string) => fail.invalid(`Block Device Mapping is Invalid: ${details}`);

interface Asked {
  readonly imageRef?: string | undefined;
  readonly block_device_mapping?: readonly Static<typeof OlderBody>[] | undefined;
  readonly block_device_mapping_v2?: readonly Entry[] | undefined;
}

/** What is asked for, in order; empty where nothing is. Throws `invalid`. */
export function devicesOf({ imageRef, ...asked }: Asked): DeviceWish[] {
  const { block_device_mapping: first = [], block_device_mapping_v2: second = [] } = asked;
  if (first.length && second.length)
    throw fail.invalid('Using different block_device_mapping syntaxes is not allowed in the same request.');
  if (second.length) return second.filter(({ no_device }) => !no_device).map((entry) => wishOf(entry, imageRef));
  const wishes = first.flatMap(olderWish);
  // The image is understood where the list is of the older kind; without one the first disk that holds something boots.
  if (wishes.length && imageRef) return [imageWish(imageRef), ...wishes];
  const boots = wishes.findIndex(({ source }) => source !== 'blank');
  return wishes.map((wish, index) => (index === boots ? { ...wish, bootIndex: 0 } : wish));
}

function wishOf(entry: Entry, imageRef: string | undefined): DeviceWish {
  const { source_type: source, uuid = '', volume_type: type } = entry;
  if (source === undefined) throw wrong('Some required fields are missing');
  const destination = entry.destination_type ?? (source === 'blank' || source === 'image' ? 'local' : 'volume');
  const bootIndex = Number(entry.boot_index ?? -1);
  if (source === 'blank' && uuid) throw wrong('Invalid device UUID.');
  const id = uuid || entry[`${source === 'blank' ? 'image' : source}_id`] || '';
  if (source !== 'blank' && !id) throw wrong('Missing device UUID.');
  if (source === 'image' && destination === 'local' && !(imageRef && bootIndex === 0))
    throw wrong('Mapping image to local is not supported.');
  if (destination === 'local' && type)
    throw wrong('Specifying a volume_type with destination_type=local is not supported.');
  return {
    ...{ source, destination, uuid: id, bootIndex, size: sizeOf(entry.volume_size) },
    ...{ format: entry.guest_format ?? '', bus: entry.disk_bus ?? '', tag: entry.tag ?? '' },
    deviceName: entry.device_name ?? '',
  };
}

const NOTHING = { bootIndex: -1, size: undefined, format: '', bus: '', deviceName: '', tag: '' };
const imageWish = (uuid: string): DeviceWish => ({
  ...NOTHING,
  source: 'image',
  destination: 'local',
  uuid,
  bootIndex: 0,
});

function olderWish(entry: Static<typeof OlderBody>): DeviceWish[] {
  const { virtual_name: name = '', snapshot_id: snapshot, volume_id: volume } = entry;
  const rest = { ...NOTHING, size: sizeOf(entry.volume_size), deviceName: entry.device_name ?? '' };
  if (name === 'swap' || /^ephemeral[0-9]+$/.test(name))
    return [{ ...rest, source: 'blank', destination: 'local', uuid: '', format: name === 'swap' ? 'swap' : '' }];
  if (snapshot) return [{ ...rest, source: 'snapshot', destination: 'volume', uuid: snapshot }];
  if (volume) return [{ ...rest, source: 'volume', destination: 'volume', uuid: volume }];
  if (entry.no_device) return [];
  throw wrong('Unrecognized legacy format.');
}

const MOST = 2 ** 31;

function sizeOf(text: number | string | null | undefined): number | undefined {
  if (text === undefined || text === null || text === '') return undefined;
  const size = Number(text);
  if (!(size < MOST)) throw wrong('Invalid volume_size.');
  return size;
}
