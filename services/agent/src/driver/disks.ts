/**
 * The disks of servers on this node: made where missing, from a base image that is downloaded where missing. What is there
 * is never made anew, unless a higher epoch of the root disk is asked for; what a guest wrote is never opened here.
 */
import type { computeV1 } from '#libs/contract';
import { fail, isFailure } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { writeConfigDrive } from '../disk/config-drive.js';
import type { ImageCache, ImageRequest } from '../disk/image-cache.js';
import type { Instances } from '../disk/instances.js';
import { clearKeys } from '../disk/key-file.js';
import { createOverlay, type DiskFormat, type NewDisk } from '../disk/qemu-img.js';
import { DiskUndo } from '../disk/undo.js';
import { serialOf } from '../domain/disks-xml.js';
import type { DomainInput } from '../domain/domain-xml.js';
import { CommandFailed, type Run } from '../exec/run.js';
import type { DiskKeys } from './disk-keys.js';
import type { ServerSpec } from './driver.js';
import { busNamed, LocalDisks } from './local-disks.js';

export interface DisksOptions {
  readonly instances: Instances;
  readonly images: ImageCache;
  readonly run: Run;
  readonly log: Log;
  /** Mixed into what guests are given as random seed. */
  readonly secret: string;
}

type Rescue = computeV1.Rescue;

const GIB = 1 << 30;
const UNUSED_IMAGE_MS = 24 * 3_600_000;
const SWEEP_EVERY_MS = 600_000;

export class Disks {
  readonly #options: DisksOptions;
  readonly #undo: DiskUndo;
  readonly #local: LocalDisks;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: DisksOptions) {
    this.#options = options;
    this.#undo = new DiskUndo(options.run, options.instances);
    this.#local = new LocalDisks(options.run, options.instances);
  }

  async start(): Promise<void> {
    await clearKeys();
    await this.#options.instances.start();
    await this.#options.images.start();
    this.#sweep = setInterval(() => void this.#evict(UNUSED_IMAGE_MS), SWEEP_EVERY_MS);
    this.#sweep.unref();
  }

  stop(): void {
    clearInterval(this.#sweep);
  }

  /** True when the root disk that the spec asks for is still to be made. Compute names the image only until it was. */
  async areDue(spec: ServerSpec): Promise<boolean> {
    const { instances } = this.#options;
    return spec.image !== undefined && !(await instances.has(instances.disk(spec.serverId, spec.diskEpoch)));
  }

  /** Makes what is missing, then drops what an older epoch left. For a guest that is off. Aborting stops downloads. */
  async prepare(spec: ServerSpec, keys: DiskKeys, signal: AbortSignal): Promise<void> {
    const { instances, run, secret } = this.#options;
    const { serverId, diskEpoch, rescue } = spec;
    const key = spec.rootDisk && keys.get(spec.rootDisk.diskId);
    const disk = { path: instances.disk(serverId, diskEpoch), key };
    if (!(await instances.has(disk.path))) {
      const bytes = sizeOf(spec);
      const base = { path: await this.fetch(spec.image, signal), format: imageOf(spec.image).format };
      await createOverlay(run, disk, base, bytes, signal);
    }
    await this.#undo.settle(serverId, spec.undo, spec.undoEpoch, [disk, ...(await this.#local.existing(spec, keys))]);
    const grow = (grown: NewDisk, bytes: number) => this.#undo.grow(grown, bytes);
    if (spec.undo === 'keep' && spec.diskGb > 0) await grow(disk, spec.diskGb * GIB);
    await this.#local.make(spec, keys, grow, signal);
    if (rescue) await this.#rescueDisk(spec, rescue, key, signal);
    const drive = this.configDrive(spec);
    if (drive && !(await instances.has(drive))) await writeConfigDrive(run, drive, spec, { secret });
    await instances.dropBefore(serverId, diskEpoch);
    await instances.dropRescues(serverId, rescue?.epoch ?? 0);
    await this.#local.drop(spec);
  }

  /** True when the guest has to be off for what the spec says of the disks as they were. */
  needOff({ serverId, undo, undoEpoch }: ServerSpec): Promise<boolean> {
    return this.#undo.needsOff(serverId, undo, undoEpoch);
  }

  /** True when the disks hold what nobody wants back any more. */
  keepTooMuch({ serverId, undo }: ServerSpec): Promise<boolean> {
    return this.#undo.hasLeftovers(serverId, undo);
  }

  /** After it went from under a running guest. */
  async forgotten(spec: ServerSpec): Promise<void> {
    await this.#local.drop(spec);
    await this.#undo.forgotten(spec.serverId);
  }

  /** As large as its image; as secret as the root disk, whose key it has. */
  async #rescueDisk(spec: ServerSpec, rescue: Rescue, key: string | undefined, signal: AbortSignal): Promise<void> {
    const { instances, run } = this.#options;
    const disk = { path: instances.rescueDisk(spec.serverId, rescue.epoch), key };
    if (await instances.has(disk.path)) return;
    const base = { path: await this.fetch(rescue.image, signal), format: imageOf(rescue.image).format };
    await createOverlay(run, disk, base, rescue.image?.virtualSize ?? 0, signal);
  }

  /** The path of the base image, here after a download; where it finds no room, images that no server uses make room. */
  async fetch(source: computeV1.ImageSource | undefined, signal: AbortSignal): Promise<string> {
    const { images } = this.#options;
    const image = imageOf(source);
    try {
      return await images.acquire(image, signal);
    } catch (error) {
      if (!isFailure(error, 'overQuota') || (await this.#evict(0)) === 0) throw error;
      return await images.acquire(image, signal);
    }
  }

  /** True when a base image is here, and as much used as if a server had just been made of it. */
  async has(source: computeV1.ImageSource): Promise<boolean> {
    return this.#options.images.touch(imageOf(source));
  }

  /** The root disk as the domain is to have it. */
  of(spec: ServerSpec): DomainInput['disk'] {
    const { instances, images } = this.#options;
    const image = imageOf((instances.spec(spec.serverId) ?? spec).image);
    const { rootDisk } = spec;
    return {
      ...(rootDisk ? { bus: busNamed(rootDisk.bus), serial: serialOf(rootDisk.diskId) } : {}),
      secretId: secretOf(spec),
      path: instances.disk(spec.serverId, spec.diskEpoch),
      basePath: images.pathOf(image),
      baseFormat: image.format,
    };
  }

  /** Those beside it. */
  localOf(spec: ServerSpec): DomainInput['localDisks'] {
    return this.#local.of(spec);
  }

  rescueOf(spec: ServerSpec): DomainInput['rescue'] {
    const { serverId, rescue } = spec;
    if (!rescue) return undefined;
    const { instances, images } = this.#options;
    const image = imageOf(rescue.image);
    const path = instances.rescueDisk(serverId, rescue.epoch);
    const disk = { path, basePath: images.pathOf(image), baseFormat: image.format, secretId: secretOf(spec) };
    return { disk, beside: besideOf(rescue.properties) };
  }

  /** A rescued guest has a drive of its own, with the password of the rescue. */
  configDrive({ serverId, configDrive, diskEpoch, rescue }: ServerSpec): string | undefined {
    const { instances } = this.#options;
    if (!configDrive) return undefined;
    return rescue ? instances.rescueDrive(serverId, rescue.epoch) : instances.configDrive(serverId, diskEpoch);
  }

  async #evict(unusedMs: number): Promise<number> {
    const { instances, images, log } = this.#options;
    try {
      const used = instances
        .specs()
        .flatMap((spec) => [spec.image, spec.rescue?.image])
        .filter((image) => image !== undefined)
        .map((image) => images.pathOf(imageOf(image)));
      return await images.evict(new Set(used), unusedMs);
    } catch (error) {
      log.warn({ err: error }, 'unused images could not be removed');
      return 0;
    }
  }
}

/** How QEMU is to read what the image service calls so. */
const FORMATS: Readonly<Record<string, DiskFormat>> = { qcow2: 'qcow2', raw: 'raw', iso: 'raw', ami: 'raw' };

function imageOf(image: computeV1.ImageSource | undefined): ImageRequest {
  if (!image) throw fail.conflict('the disk of the server is not on this node, and no image is named to make it from');
  const { imageId, url, sha256, size, diskFormat } = image;
  const format = FORMATS[diskFormat];
  if (!format) throw fail.invalid(`disk format ${diskFormat} can not be started here`);
  return { imageId, url, sha256, size, format };
}

const secretOf = ({ rootDisk }: ServerSpec): string | undefined => (rootDisk?.encrypted ? rootDisk.diskId : undefined);

const BUSES = ['virtio', 'scsi', 'ide', 'sata', 'usb'] as const;

/** An image that says how it wants to be attached leaves the server's own devices where they are. */
function besideOf(properties: Rescue['properties']): NonNullable<DomainInput['rescue']>['beside'] {
  const { hw_rescue_device: device, hw_rescue_bus: bus } = properties;
  if (device === undefined && bus === undefined) return undefined;
  const known = BUSES.find((name) => name === bus);
  return device === 'cdrom' ? { device, bus: known ?? 'scsi' } : { device: 'disk', bus: known ?? 'virtio' };
}

/** Bytes of the root disk: the flavor's size, or the image's own where the flavor has none. */
function sizeOf(spec: ServerSpec): number {
  const least = spec.image?.virtualSize ?? 0;
  const bytes = spec.diskGb > 0 ? spec.diskGb * GIB : least;
  if (bytes < least)
    throw fail.invalid(`the image needs a disk of ${Math.ceil(least / GIB)} GB, the flavor has ${spec.diskGb} GB`);
  return bytes;
}

/** A disk that is full is a verdict about this server on this node. */
export function explained(error: unknown, serverId: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const full =
    code === 'ENOSPC' || code === 'EDQUOT' || (error instanceof CommandFailed && /No space left/.test(error.stderr));
  return full ? fail.overQuota(`the node has no room for the disks of server ${serverId}`, { cause: error }) : error;
}
