/**
 * The disks of a server: what its order, its image and its flavor make of them, and what becomes of them with another
 * flavor or a new beginning. Pure. Sizes of ephemeral disks are asked for in GiB and of swap disks in MiB, as upstream has
 * it; here all are in MiB.
 */
import { type Failure, fail } from '#libs/kernel';
import type { FlavorSnapshot } from './server.js';

export type DeviceKind = 'root' | 'ephemeral' | 'swap';

/** A disk that lies on the server's node. The root disk's size is the flavor's. */
export interface BlockDevice {
  readonly id: string;
  readonly kind: DeviceKind;
  /** Where it stands among the others. */
  readonly place: number;
  readonly sizeMb: number;
  /** It is what the flavor offers as a whole, and grows with it. */
  readonly byFlavor: boolean;
  /** A file system, or '' for what suits the image. */
  readonly format: string;
  /** '' for the machine's own. */
  readonly bus: string;
  readonly deviceName: string;
  readonly tag: string;
  /** It has a key of its own, without which nobody reads it. */
  readonly encrypted: boolean;
}

/** A disk as stored: while the server gets another flavor it has a size before and one after; 0 is not there. */
export interface StoredDevice extends BlockDevice {
  readonly fromMb: number | null;
  readonly toMb: number | null;
}

/** One entry of an order, whichever way it was written down. */
export interface DeviceWish {
  readonly source: 'image' | 'blank' | 'volume' | 'snapshot';
  readonly destination: 'local' | 'volume';
  /** Of what it begins with, or ''. */
  readonly uuid: string;
  /** Below 0: nothing boots from it. */
  readonly bootIndex: number;
  /** As sent; undefined: not said. */
  readonly size: number | undefined;
  readonly format: string;
  readonly bus: string;
  readonly deviceName: string;
  readonly tag: string;
}

/** Upstream's own limit of disks on a node. */
const MOST_LOCAL = 3;
const MIB_OF_GIB = 1024;
const SWAP_PLACE = 1_000;
const NODE_BUSES = ['virtio', 'scsi', 'sata', 'ide', 'usb'];
export const NODE_FORMATS = ['ext2', 'ext3', 'ext4', 'vfat'];

const isEphemeral = ({ source, destination, format }: DeviceWish): boolean =>
  source === 'blank' && destination === 'local' && format !== 'swap';
const isSwap = ({ source, destination, format }: DeviceWish): boolean =>
  source === 'blank' && destination === 'local' && format === 'swap';

const wrong = (details: string): Failure => fail.invalid(`Block Device Mapping is Invalid: ${details}`);
const wrongSequence = (): Failure =>
  wrong('Boot sequence for the instance and image/block device mapping combination is not valid.');

/** Why a server that names no image can not boot from these. */
export const bootTrouble = (wishes: readonly DeviceWish[]): Failure =>
  sequenceTrouble(wishes) ?? wishes.map((wish) => wishTrouble(wish, '')).find((trouble) => trouble) ?? wrongSequence();

function sequenceTrouble(wishes: readonly DeviceWish[]): Failure | undefined {
  const order = wishes.map(({ bootIndex }) => bootIndex).filter((index) => index >= 0);
  const isBroken = !order.length || order.sort((a, b) => a - b).some((index, place) => index !== place);
  return isBroken ? wrongSequence() : undefined;
}

/** The first reason to refuse these wishes for a server of that flavor from that image, or undefined. */
export function devicesTrouble(
  wishes: readonly DeviceWish[],
  imageId: string,
  flavor: FlavorSnapshot,
): Failure | undefined {
  const trouble = sequenceTrouble(wishes) ?? wishes.map((wish) => wishTrouble(wish, imageId)).find((one) => one);
  if (trouble) return trouble;
  // What is not local has been refused, so the image is what the server boots from.
  if (wishes.find(({ bootIndex }) => bootIndex === 0)?.source !== 'image') return wrongSequence();
  return sizesTrouble(wishes, flavor);
}

function wishTrouble(
  { source, destination, uuid, size, bus, format }: DeviceWish,
  imageId: string,
): Failure | undefined {
  const noSize = !size;
  if (source === 'volume') return wrong(`failed to get volume ${uuid}.`);
  if (source === 'snapshot') return wrong(`failed to get snapshot ${uuid}.`);
  if (destination === 'volume' && noSize)
    return fail.invalid(
      source === 'image'
        ? "Images with destination_type 'volume' need to have a non-zero size specified"
        : "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size",
    );
  if (destination === 'volume') return wrong('this cloud offers no volumes yet.');
  if (source === 'image' && uuid.toLowerCase() !== imageId) return wrongSequence();
  if (bus && !NODE_BUSES.includes(bus))
    return fail.invalid(`Block Device Mapping is invalid: The provided disk bus ${bus} is not valid.`);
  if (source === 'blank' && format && format !== 'swap' && !NODE_FORMATS.includes(format))
    return wrong(`${format} format is not supported`);
  return undefined;
}

function sizesTrouble(wishes: readonly DeviceWish[], flavor: FlavorSnapshot): Failure | undefined {
  const asked = wishes.filter(isEphemeral).reduce((sum, { size }) => sum + (size || flavor.ephemeralGb), 0);
  if (asked > flavor.ephemeralGb)
    return fail.invalid(
      'Ephemeral disks requested are larger than the instance type allows. If no size is given in one block device mapping, flavor ephemeral size will be used.',
    );
  const swaps = wishes.filter(isSwap);
  if (swaps.length > 1) return wrong('More than one swap drive requested.');
  if ((swaps[0]?.size ?? 0) > flavor.swapMb)
    return fail.invalid('Swap drive requested is larger than instance type allows.');
  const byFlavor =
    Number(flavor.ephemeralGb > 0 && !wishes.some(isEphemeral)) + Number(flavor.swapMb > 0 && !swaps.length);
  if (wishes.length + byFlavor > MOST_LOCAL) return wrong('You specified more local devices than the limit allows');
  return undefined;
}

type Shape = Omit<BlockDevice, 'id' | 'encrypted'>;
const plain = { byFlavor: true, format: '', bus: '', deviceName: '', tag: '' } as const;
const ephemeralOf = ({ ephemeralGb }: FlavorSnapshot): Shape => ({
  ...plain,
  kind: 'ephemeral',
  place: 1,
  sizeMb: ephemeralGb * MIB_OF_GIB,
});
const swapOf = ({ swapMb }: FlavorSnapshot): Shape => ({ ...plain, kind: 'swap', place: SWAP_PLACE, sizeMb: swapMb });

/** The disks of a new server; wishes without trouble, or none. What the flavor offers and nobody shaped comes by itself. */
export function devicesOf(
  wishes: readonly DeviceWish[],
  flavor: FlavorSnapshot,
  encrypted: boolean,
  freshId: () => string,
): BlockDevice[] {
  const root = wishes.find(({ bootIndex }) => bootIndex === 0);
  const ephemerals = wishes.filter(isEphemeral).map((wish, index) => {
    const sizeMb = (wish.size || flavor.ephemeralGb) * MIB_OF_GIB;
    return { ...said(wish), kind: 'ephemeral', place: index + 1, sizeMb, byFlavor: !wish.size } as const;
  });
  const swaps = wishes.filter(isSwap).map((wish) => {
    const sizeMb = wish.size || flavor.swapMb;
    return { ...said(wish), format: '', kind: 'swap', place: SWAP_PLACE, sizeMb, byFlavor: !wish.size } as const;
  });
  const shapes: Shape[] = [
    { ...plain, ...(root ? said(root) : {}), format: '', kind: 'root', place: 0, sizeMb: 0 },
    ...(ephemerals.length ? ephemerals : [ephemeralOf(flavor)]),
    ...(swaps.length ? swaps : [swapOf(flavor)]),
  ];
  return shapes
    .filter(({ kind, sizeMb }) => kind === 'root' || sizeMb > 0)
    .map((shape) => ({ id: freshId(), ...shape, encrypted }));
}

const said = ({ format, bus, deviceName, tag }: DeviceWish) => ({ format, bus, deviceName, tag });

/** True where the ephemeral disks that the server has do not fit into the flavor. */
export function ephemeralsShrink(devices: readonly BlockDevice[], from: FlavorSnapshot, to: FlavorSnapshot): boolean {
  const has = devices.filter(({ kind }) => kind === 'ephemeral').reduce((sum, { sizeMb }) => sum + sizeMb, 0);
  return to.ephemeralGb * MIB_OF_GIB < (has || from.ephemeralGb * MIB_OF_GIB);
}

/**
 * What the disks are to be with another flavor. A swap disk holds nothing, so another size is another disk; an ephemeral
 * disk that stands for all that the flavor offers grows, one whose size was asked for stays, and one appears where there
 * was none. What the server does not have in the end has a size of 0.
 */
export function resizedDevices(
  devices: readonly BlockDevice[],
  from: FlavorSnapshot,
  to: FlavorSnapshot,
  encrypted: boolean,
  freshId: () => string,
): BlockDevice[] {
  const swapChanges = from.swapMb !== to.swapMb;
  const kept = devices.map((device): BlockDevice => {
    if (device.kind === 'swap' && swapChanges) return { ...device, sizeMb: 0 };
    if (device.kind === 'ephemeral' && device.byFlavor) return { ...device, sizeMb: to.ephemeralGb * MIB_OF_GIB };
    return device;
  });
  const added: Shape[] = [
    ...(to.ephemeralGb > 0 && !devices.some(({ kind }) => kind === 'ephemeral') ? [ephemeralOf(to)] : []),
    ...(to.swapMb > 0 && swapChanges ? [{ ...swapOf(to), place: placeBeside(devices) }] : []),
  ];
  return [...kept, ...added.map((shape) => ({ id: freshId(), ...shape, encrypted }))];
}

/** The swap disk of before stands in the books until the resize is decided. */
const placeBeside = (devices: readonly BlockDevice[]): number =>
  Math.max(SWAP_PLACE - 1, ...devices.filter(({ kind }) => kind === 'swap').map(({ place }) => place)) + 1;

/** New ids by the old ones: of disks that begin anew, under another name and with another key. */
export type Renewals = Readonly<Record<string, string>>;

export const renewalsOf = (
  devices: readonly BlockDevice[],
  isRenewed: (kind: DeviceKind) => boolean,
  freshId: () => string,
): Renewals => Object.fromEntries(devices.filter(({ kind }) => isRenewed(kind)).map(({ id }) => [id, freshId()]));

/** What a blank disk of an image with those properties is formatted as; '' leaves it blank. */
export function formatOf(device: BlockDevice, properties: Readonly<Record<string, string>>): string {
  if (device.kind === 'swap') return 'swap';
  if (device.format) return device.format;
  const { os_type: system } = properties;
  return system === 'linux' ? 'ext4' : system === 'windows' ? '' : 'vfat';
}
