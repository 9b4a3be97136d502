/** Disks of a domain. Every image in a chain is named with its format, and the chain is closed. */
import type { DiskBus, Hardware } from '../hardware/hardware.js';
import { type Element, element } from './xml.js';

/** What a guest sees as the serial number of a disk: as much of its id as every bus can carry. */
export const serialOf = (diskId: string): string => diskId.slice(0, 20);

interface AnyDisk {
  readonly path: string;
  /** The disk's own bus; the machine's where it names none. */
  readonly bus?: DiskBus | undefined;
  /** As the guest reads it; at most 20 characters. */
  readonly serial?: string | undefined;
}

/** A qcow2 overlay, and the base below it. */
export interface DiskFile extends AnyDisk {
  readonly basePath: string;
  readonly baseFormat: 'qcow2' | 'raw';
  /** libvirt's secret with the passphrase of the overlay's LUKS layer; the base is never encrypted. */
  readonly secretId?: string | undefined;
}

/** A qcow2 that began empty. */
export interface LocalDisk extends AnyDisk {
  readonly secretId?: string | undefined;
}

/** What the guest boots from instead of its own disk. */
export interface RescueInput {
  readonly disk: DiskFile;
  /** Beside the server's own devices, which keep their names; undefined: before them, in the root disk's place. */
  readonly beside: { readonly device: 'disk' | 'cdrom'; readonly bus: DiskBus } | undefined;
}

export interface DisksInput {
  readonly disk: DiskFile;
  readonly localDisks: readonly LocalDisk[];
  readonly rescue?: RescueInput | undefined;
  readonly configDrive?: string | undefined;
  readonly hardware: Hardware;
}

const PREFIXES: Readonly<Record<DiskBus, string>> = { virtio: 'vd', scsi: 'sd', sata: 'sd', usb: 'sd', ide: 'hd' };

/** Gives out names such as `vda`, in order; buses that share letters share one row of them. */
class DeviceNames {
  readonly #next = new Map<string, number>();

  take(bus: DiskBus): string {
    const prefix = PREFIXES[bus];
    const n = this.#next.get(prefix) ?? 0;
    this.#next.set(prefix, n + 1);
    return prefix + String.fromCharCode(97 + n);
  }
}

interface Placed {
  readonly disk: DiskFile | LocalDisk;
  readonly bus: DiskBus;
  readonly dev: string;
  readonly device?: 'disk' | 'cdrom';
  /** The guest boots from it. */
  readonly first?: boolean;
}

/** The buses that its disks are on. */
export const busesOf = (input: DisksInput): Set<DiskBus> =>
  new Set([
    ...(input.configDrive ? [input.hardware.cdromBus] : []),
    ...(input.rescue?.beside ? [input.rescue.beside.bus] : []),
    ...ownDisks(input).map(({ bus }) => bus),
  ]);

export function disks(input: DisksInput): Element[] {
  const { hardware, configDrive, rescue } = input;
  const names = new DeviceNames();
  const own = ownDisks(input).map(({ disk, bus }) => ({ disk, bus, dev: names.take(bus) }));
  const drive = configDrive ? cdrom(configDrive, hardware.cdromBus, names.take(hardware.cdromBus)) : undefined;
  const guest = rescue?.beside;
  const beside: Placed[] = guest ? [{ disk: rescue.disk, ...guest, dev: names.take(guest.bus), first: true }] : [];
  return [
    ...[...own, ...beside].map((one) => fileDisk(one, hardware)),
    ...(busesOf(input).has('scsi')
      ? [element('controller', { type: 'scsi', index: 0, model: hardware.scsiModel })]
      : []),
    ...(drive ? [drive] : []),
  ];
}

/** A guest that is rescued in its own disk's place sees that disk alone beside. */
function ownDisks(input: DisksInput): { disk: DiskFile | LocalDisk; bus: DiskBus }[] {
  const { disk, localDisks, rescue, hardware } = input;
  const bus = hardware.diskBus;
  const shown = rescue && !rescue.beside ? [rescue.disk, disk] : [disk, ...localDisks];
  return shown.map((one) => ({ disk: one, bus: one.bus ?? bus }));
}

function fileDisk({ disk, bus, dev, device = 'disk', first = false }: Placed, hardware: Hardware): Element {
  const packed = hardware.packedRing && bus === 'virtio' ? 'on' : undefined;
  const limits = Object.entries(hardware.diskQuota);
  return element(
    'disk',
    { type: 'file', device },
    element('driver', { name: 'qemu', type: 'qcow2', cache: 'writeback', discard: 'unmap', packed }),
    element('source', { file: disk.path }, disk.secretId ? encryption(disk.secretId) : undefined),
    'basePath' in disk
      ? element(
          'backingStore',
          { type: 'file' },
          element('format', { type: disk.baseFormat }),
          element('source', { file: disk.basePath }),
          element('backingStore'),
        )
      : element('backingStore'),
    element('target', { dev, bus }),
    disk.serial ? element('serial', {}, disk.serial) : undefined,
    limits.length
      ? element(
          'iotune',
          {},
          limits.map(([name, value]) => element(name, {}, value)),
        )
      : undefined,
    device === 'cdrom' ? element('readonly') : undefined,
    first ? element('boot', { order: 1 }) : undefined,
  );
}

const encryption = (uuid: string): Element =>
  element('encryption', { format: 'luks' }, element('secret', { type: 'passphrase', uuid }));

/** On virtio-scsi by itself: Debian's cloud kernel has no AHCI. */
const cdrom = (path: string, bus: DiskBus, dev: string): Element =>
  element(
    'disk',
    { type: 'file', device: 'cdrom' },
    element('driver', { name: 'qemu', type: 'raw' }),
    element('source', { file: path }),
    element('backingStore'),
    element('target', { dev, bus }),
    element('readonly'),
  );
