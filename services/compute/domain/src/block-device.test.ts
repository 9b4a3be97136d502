import { describe, expect, it } from 'vitest';
import {
  type BlockDevice,
  bootTrouble,
  type DeviceWish,
  devicesOf,
  devicesTrouble,
  ephemeralsShrink,
  formatOf,
  renewalsOf,
  resizedDevices,
} from './block-device.js';
import type { FlavorSnapshot } from './server.js';

const flavor = (ephemeralGb: number, swapMb: number): FlavorSnapshot => ({
  ...{ id: 'f', name: 'f', vcpus: 1, memoryMb: 64, diskGb: 1, rxtxFactor: 1, extraSpecs: {} },
  ephemeralGb,
  swapMb,
});
const nothing = { bootIndex: -1, size: undefined, format: '', bus: '', deviceName: '', tag: '' };
const image: DeviceWish = { ...nothing, source: 'image', destination: 'local', uuid: 'i', bootIndex: 0 };
const blank: DeviceWish = { ...nothing, source: 'blank', destination: 'local', uuid: '' };
const swap: DeviceWish = { ...blank, format: 'swap' };

let n = 0;
const freshId = () => `id-${n++}`;
const brief = (devices: readonly BlockDevice[]) =>
  devices.map(({ kind, sizeMb, byFlavor }) => `${kind} ${sizeMb}${byFlavor ? '' : ' asked'}`);
const made = (wishes: readonly DeviceWish[], of = flavor(3, 512)) => devicesOf(wishes, of, false, freshId);

describe('the disks of a new server', () => {
  it.each([
    [[], flavor(0, 0), ['root 0']],
    [[], flavor(2, 64), ['root 0', 'ephemeral 2048', 'swap 64']],
    [[image], flavor(2, 64), ['root 0', 'ephemeral 2048', 'swap 64']],
    [[image, blank], flavor(2, 0), ['root 0', 'ephemeral 2048']],
    [[image, { ...blank, size: 1 }], flavor(2, 0), ['root 0', 'ephemeral 1024 asked']],
    [
      [image, { ...blank, size: 1 }, { ...blank, size: 2 }],
      flavor(3, 0),
      ['root 0', 'ephemeral 1024 asked', 'ephemeral 2048 asked'],
    ],
    [[image, { ...swap, size: 10 }], flavor(1, 64), ['root 0', 'ephemeral 1024', 'swap 10 asked']],
    [[image, swap], flavor(0, 64), ['root 0', 'swap 64']],
    [[image, swap], flavor(0, 0), ['root 0']],
  ])('of %j', (wishes, of, expected) => {
    expect(devicesTrouble(wishes.length ? wishes : [image], 'i', of)).toBeUndefined();
    const devices = devicesOf(wishes, of, false, freshId);
    expect(brief(devices)).toEqual(expected);
    expect(new Set(devices.map(({ id }) => id)).size).toBe(devices.length);
  });

  it('bear what was said of them', () => {
    const [root, first] = made([
      { ...image, bus: 'scsi', tag: 'boot' },
      { ...blank, format: 'ext4', bus: 'usb', tag: 'data', deviceName: '/dev/vdz' },
    ]);
    expect(root).toMatchObject({ kind: 'root', bus: 'scsi', tag: 'boot' });
    expect(first).toMatchObject({ format: 'ext4', bus: 'usb', tag: 'data', deviceName: '/dev/vdz', place: 1 });
  });

  const volume: DeviceWish = { ...blank, destination: 'volume', size: 1 };
  it.each([
    ['nothing to boot from', [blank], 'Boot sequence for the instance'],
    ['a gap in the order', [image, { ...blank, bootIndex: 2 }], 'Boot sequence for the instance'],
    ['two first ones', [image, { ...blank, bootIndex: 0 }], 'Boot sequence for the instance'],
    ['another image', [{ ...image, uuid: 'other' }], 'Boot sequence for the instance'],
    ['a blank disk to boot from', [{ ...blank, bootIndex: 0 }], 'Boot sequence for the instance'],
    ['a volume', [image, { ...volume, source: 'volume', uuid: 'v' }], 'failed to get volume v.'],
    ['a snapshot', [image, { ...volume, source: 'snapshot', uuid: 's' }], 'failed to get snapshot s.'],
    [
      'a volume of an image without size',
      [{ ...image, destination: 'volume' }],
      'need to have a non-zero size specified',
    ],
    ['a blank volume without size', [image, { ...volume, size: 0 }], 'need to have non-zero size'],
    ['a blank volume', [image, volume], 'this cloud offers no volumes yet'],
    ['too much', [image, { ...blank, size: 4 }], 'Ephemeral disks requested are larger than the instance type allows.'],
    ['too much in all', [image, blank, { ...blank, size: 1 }], 'Ephemeral disks requested are larger'],
    ['two swap disks', [image, swap, swap], 'More than one swap drive requested.'],
    ['too much swap', [image, { ...swap, size: 513 }], 'Swap drive requested is larger than instance type allows.'],
    [
      'too many',
      [image, { ...blank, size: 1 }, { ...blank, size: 1 }, swap],
      'more local devices than the limit allows',
    ],
    ['a bus of nobody', [{ ...image, bus: 'xen' }], 'The provided disk bus xen is not valid.'],
    ['a file system of nobody', [image, { ...blank, format: 'xfs' }], 'xfs format is not supported'],
  ] as const)('are refused: %s', (_what, wishes, message) => {
    expect(devicesTrouble(wishes, 'i', flavor(3, 512))?.message).toContain(message);
  });

  it('say what a server without an image would need', () => {
    expect(bootTrouble([{ ...volume, source: 'volume', uuid: 'v', bootIndex: 0 }]).message).toContain('volume v');
    expect(bootTrouble([blank]).message).toContain('Boot sequence');
    expect(bootTrouble([{ ...volume, bootIndex: 0 }]).message).toContain('no volumes yet');
  });
});

describe('the disks with another flavor', () => {
  const resized = (wishes: readonly DeviceWish[], from: FlavorSnapshot, to: FlavorSnapshot) => {
    const devices = devicesOf(wishes, from, false, freshId);
    return { devices, after: resizedDevices(devices, from, to, false, freshId) };
  };

  it('grow with it, and appear', () => {
    expect(brief(resized([], flavor(1, 0), flavor(2, 0)).after)).toEqual(['root 0', 'ephemeral 2048']);
    expect(brief(resized([], flavor(0, 0), flavor(2, 8)).after)).toEqual(['root 0', 'ephemeral 2048', 'swap 8']);
    expect(brief(resized([], flavor(1, 8), flavor(2, 8)).after)).toEqual(['root 0', 'ephemeral 2048', 'swap 8']);
  });

  it('stay as they were asked for', () => {
    const { after } = resized([image, { ...blank, size: 1 }], flavor(2, 0), flavor(3, 0));
    expect(brief(after)).toEqual(['root 0', 'ephemeral 1024 asked']);
  });

  it('have another swap disk for another size, and none for none', () => {
    const { devices, after } = resized([image, { ...swap, size: 4 }], flavor(0, 8), flavor(0, 16));
    expect(brief(after)).toEqual(['root 0', 'swap 0 asked', 'swap 16']);
    expect(after[1]!.id).toBe(devices[1]!.id);
    expect(after[2]!.place).toBeGreaterThan(after[1]!.place);
    expect(brief(resized([], flavor(0, 8), flavor(0, 0)).after)).toEqual(['root 0', 'swap 0']);
  });

  it('do not shrink', () => {
    const asked = devicesOf([image, { ...blank, size: 1 }], flavor(3, 0), false, freshId);
    expect(ephemeralsShrink(asked, flavor(3, 0), flavor(1, 0))).toBe(false);
    expect(ephemeralsShrink(asked, flavor(3, 0), flavor(0, 0))).toBe(true);
    expect(ephemeralsShrink(made([]), flavor(3, 0), flavor(2, 0))).toBe(true);
    expect(ephemeralsShrink([], flavor(3, 0), flavor(2, 0))).toBe(true);
  });
});

it('begin anew by their kind', () => {
  const devices = made([]);
  expect(Object.keys(renewalsOf(devices, (kind) => kind !== 'ephemeral', freshId))).toEqual([
    devices[0]!.id,
    devices[2]!.id,
  ]);
});

it.each([
  [{}, '', 'vfat'],
  [{ os_type: 'linux' }, '', 'ext4'],
  [{ os_type: 'windows' }, '', ''],
  [{ os_type: 'windows' }, 'ext3', 'ext3'],
])('are formatted for %j, asked %j, as %j', (properties, format, expected) => {
  const device = { ...made([])[1]!, format };
  expect(formatOf(device, properties)).toBe(expected);
  expect(formatOf(made([])[2]!, properties)).toBe('swap');
});
