/**
 * A real node: QEMU through libvirt, disks in the agent's folder, interfaces plugged into OVS by libvirt, metadata on
 * each network. Every step looks first at what is there, so that any of them may be cut off and repeated.
 */
import { statfs } from 'node:fs/promises';
import { cpus, freemem } from 'node:os';
import type { PowerState } from '#libs/contract';
import { fail, isFailure } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { writeConfigDrive } from '../disk/config-drive.js';
import { readConsole } from '../disk/console-log.js';
import type { ImageCache, ImageRequest } from '../disk/image-cache.js';
import type { Instances } from '../disk/instances.js';
import { createOverlay, type DiskFormat } from '../disk/qemu-img.js';
import { domainXml, tapName } from '../domain/domain-xml.js';
import { CommandFailed, type Run } from '../exec/run.js';
import type { Probe } from '../kvm/probe.js';
import { Libvirt } from '../libvirt/client.js';
import { PROCEDURES } from '../libvirt/protocol.js';
import type { MetadataPlane } from '../metadata/plane.js';
import type { AdvertisementGuard } from '../ovs/advertisement-guard.js';
import type { Ovs } from '../ovs/ovs.js';
import { Domains } from './domains.js';
import type {
  Capacity,
  DomainView,
  DriverEvents,
  HypervisorDriver,
  Inventory,
  RebootKind,
  Room,
  ServerSpec,
} from './driver.js';

export interface LibvirtDriverOptions {
  readonly socket: string;
  readonly bridge: string;
  readonly instances: Instances;
  readonly images: ImageCache;
  readonly metadata: MetadataPlane;
  readonly ovs: Ovs;
  readonly advertisements: AdvertisementGuard;
  readonly run: Run;
  readonly probe: Probe;
  readonly log: Log;
  /** Domains that are started or destroyed at a time. */
  readonly parallel: number;
  /** Milliseconds a guest has to obey the power button. */
  readonly shutdownMs: number;
  /** Mixed into what guests are given as random seed. */
  readonly secret: string;
  readonly capacity: { readonly vcpus?: number; readonly memoryMb?: number; readonly diskGb?: number };
}

const GIB = 1 << 30;
const MIB = 1 << 20;
const UNUSED_IMAGE_MS = 24 * 3_600_000;

export class LibvirtDriver implements HypervisorDriver {
  readonly #options: LibvirtDriverOptions;
  readonly #libvirt: Libvirt;
  readonly #domains: Domains;
  #events: DriverEvents | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: LibvirtDriverOptions) {
    this.#options = options;
    this.#libvirt = new Libvirt({
      socket: options.socket,
      log: options.log,
      onLifecycle: ({ domain }) => {
        this.#domains.changed(domain.uuid);
        this.#events?.changed(domain.uuid);
      },
      onConnect: () => this.#events?.resynced(),
    });
    this.#domains = new Domains(this.#libvirt, options.log, options.parallel);
  }

  async start(events: DriverEvents): Promise<void> {
    this.#events = events;
    this.#options.advertisements.start();
    await this.#options.instances.start();
    await this.#options.images.start();
    this.#libvirt.start();
    // In the background: the networks of running guests are served as soon as may be, and nothing waits for it.
    void this.#options.metadata.start(this.#options.instances.specs());
    this.#sweep = setInterval(() => void this.#evict(UNUSED_IMAGE_MS), 600_000);
    this.#sweep.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep);
    await this.#options.advertisements.stop();
    await this.#options.metadata.stop();
    await this.#libvirt.stop();
  }

  get health(): string {
    return this.#libvirt.health;
  }

  async capacity(): Promise<Capacity> {
    const { probe, capacity } = this.#options;
    const version = await this.#libvirt.call(PROCEDURES.version, undefined);
    const node = await this.#libvirt.call(PROCEDURES.nodeInfo, undefined);
    const { blocks, bsize } = await statfs(this.#options.instances.folder);
    return {
      hypervisorType: 'QEMU',
      hypervisorVersion: version,
      accel: probe.accel,
      accelReason: probe.reason,
      vcpus: capacity.vcpus ?? node.cpus,
      memoryMb: capacity.memoryMb ?? Math.floor(node.memoryKib / 1024),
      diskGb: capacity.diskGb ?? Math.floor((blocks * bsize) / GIB),
      cpuInfo: {
        vendor: 'unknown',
        model: cpus()[0]?.model.trim() ?? 'unknown',
        arch: 'x86_64',
        features: [],
        topology: { sockets: 1, cores: node.cpus, threads: 1 },
      },
    };
  }

  async room(): Promise<Room> {
    const { bavail, bsize } = await statfs(this.#options.instances.folder);
    return { freeDiskGb: Math.floor((bavail * bsize) / GIB), freeMemoryMb: Math.floor(freemem() / MIB) };
  }

  async ensureRunning(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    const { serverId } = spec;
    const before = await this.#domains.power(serverId);
    await this.#options.instances.save(spec);
    const plugged = this.#options.metadata.plug(spec);
    plugged.catch(() => undefined);
    if (before === 'running') return plugged;
    if (before === 'paused') return this.#domains.resume(serverId);
    try {
      await this.#prepareDisks(spec, signal);
      await plugged;
      signal.throwIfAborted();
      await this.#domains.start(this.#xml(spec));
    } catch (error) {
      // A first start that failed for good leaves nothing; one that is tried again keeps what it has.
      const verdict = explained(error, serverId);
      if (before === 'absent' && !signal.aborted && !isFailure(verdict, 'unavailable'))
        await this.ensureAbsent(serverId);
      throw verdict;
    }
  }

  async ensureStopped(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    const power = await this.#domains.power(spec.serverId);
    if (power === 'absent') return;
    await this.#options.instances.save(spec);
    if (power === 'running' || power === 'paused') await this.#off(spec.serverId, signal);
  }

  async ensureAbsent(serverId: string): Promise<void> {
    const { instances, metadata, ovs } = this.#options;
    await this.#domains.destroy(serverId);
    await this.#domains.undefine(serverId);
    await ovs.remove((instances.spec(serverId)?.nics ?? []).map((nic) => tapName(nic.portId)));
    await instances.remove(serverId);
    await metadata.keepOnly(instances.specs());
  }

  async reboot(spec: ServerSpec, kind: RebootKind, signal: AbortSignal): Promise<void> {
    const power = await this.#domains.power(spec.serverId);
    if (power !== 'absent' && power !== 'stopped') {
      if (kind === 'HARD') await this.#domains.destroy(spec.serverId);
      else await this.#off(spec.serverId, signal);
    }
    await this.ensureRunning(spec, signal);
  }

  power(serverId: string): Promise<PowerState> {
    return this.#domains.power(serverId);
  }

  async list(): Promise<DomainView[]> {
    return (await this.#domains.list()).ours;
  }

  async inventory(): Promise<Inventory> {
    const { instances, ovs, metadata } = this.#options;
    const [{ ours, others }, disks, all] = await Promise.all([this.#domains.list(), instances.list(), ovs.taps()]);
    const taps = all.filter((tap) => !metadata.owns(tap.device));
    const ports = new Set(instances.specs().flatMap((spec) => spec.nics.map((nic) => nic.portId)));
    const strange = taps
      .filter((tap) => !ports.has(tap.portId))
      .map((tap) => `tap ${tap.device} of port ${tap.portId}`);
    return { domains: ours, disks, taps, foreign: [...others.map((name) => `domain ${name}`), ...strange] };
  }

  async consoleLog(serverId: string, lines: number): Promise<Buffer> {
    const { instances } = this.#options;
    if (!instances.spec(serverId)) throw fail.notFound(`no server ${serverId} is on this node`);
    return readConsole(instances.console(serverId), lines);
  }

  async #off(serverId: string, signal: AbortSignal): Promise<void> {
    if (await this.#domains.shutDown(serverId, this.#options.shutdownMs, signal)) return;
    this.#options.log.info({ serverId }, 'the guest did not obey the power button; it is switched off');
    await this.#domains.destroy(serverId);
  }

  async #prepareDisks(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    const { instances, run, secret } = this.#options;
    const disk = instances.disk(spec.serverId);
    if (!(await instances.has(disk))) {
      const image = imageOf(spec);
      const bytes = sizeOf(spec);
      const base = { path: await this.#baseOf(image, signal), format: image.format };
      await createOverlay(run, disk, base, bytes, signal);
    }
    const drive = instances.configDrive(spec.serverId);
    if (spec.configDrive && !(await instances.has(drive))) await writeConfigDrive(run, drive, spec, { secret });
  }

  /** The base image; where it finds no room, those that no server uses make room. */
  async #baseOf(image: ImageRequest, signal: AbortSignal): Promise<string> {
    const { images } = this.#options;
    try {
      return await images.acquire(image, signal);
    } catch (error) {
      if (!isFailure(error, 'overQuota') || (await this.#evict(0)) === 0) throw error;
      return await images.acquire(image, signal);
    }
  }

  #xml(spec: ServerSpec): string {
    const { instances, images, bridge, probe } = this.#options;
    const image = imageOf(instances.spec(spec.serverId) ?? spec);
    return domainXml({
      serverId: spec.serverId,
      displayName: spec.name,
      projectId: spec.projectId,
      vcpus: spec.vcpus,
      memoryMb: spec.memoryMb,
      accel: probe.accel,
      disk: { path: instances.disk(spec.serverId), basePath: images.pathOf(image), baseFormat: image.format },
      configDrive: spec.configDrive ? instances.configDrive(spec.serverId) : undefined,
      nics: spec.nics,
      bridge,
      consoleLog: instances.console(spec.serverId),
    });
  }

  async #evict(unusedMs: number): Promise<number> {
    const { instances, images, log } = this.#options;
    try {
      const used = instances
        .specs()
        .filter((spec) => spec.image)
        .map((spec) => images.pathOf(imageOf(spec)));
      return await images.evict(new Set(used), unusedMs);
    } catch (error) {
      log.warn({ err: error }, 'unused images could not be removed');
      return 0;
    }
  }
}

/** How QEMU is to read what the image service calls so. */
const FORMATS: Readonly<Record<string, DiskFormat>> = { qcow2: 'qcow2', raw: 'raw', iso: 'raw', ami: 'raw' };

function imageOf(spec: ServerSpec): ImageRequest {
  const { image } = spec;
  if (!image) throw fail.conflict('the disk of the server is not on this node, and no image is named to make it from');
  const { imageId, url, sha256, size, diskFormat } = image;
  const format = FORMATS[diskFormat];
  if (!format) throw fail.invalid(`disk format ${diskFormat} can not be started here`);
  return { imageId, url, sha256, size, format };
}

/** Bytes of the root disk: the flavor's size, or the image's own where the flavor has none. */
function sizeOf(spec: ServerSpec): number {
  const least = spec.image?.virtualSize ?? 0;
  const bytes = spec.diskGb > 0 ? spec.diskGb * GIB : least;
  if (bytes < least)
    throw fail.invalid(`the image needs a disk of ${Math.ceil(least / GIB)} GB, the flavor has ${spec.diskGb} GB`);
  return bytes;
}

function explained(error: unknown, serverId: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const full =
    code === 'ENOSPC' || code === 'EDQUOT' || (error instanceof CommandFailed && /No space left/.test(error.stderr));
  return full ? fail.overQuota(`the node has no room for the disks of server ${serverId}`, { cause: error }) : error;
}
