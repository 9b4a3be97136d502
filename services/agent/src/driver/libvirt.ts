/**
 * A real node: QEMU through libvirt, disks in the agent's folder, interfaces plugged into OVS by libvirt, metadata on
 * each network. Puts its parts together; what becomes of a guest is in lifecycle.ts.
 */
import { statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import type { Duplex } from 'node:stream';
import type { computeV1, PowerState } from '#libs/contract';
import { fail } from '#libs/kernel';
import { type ConsoleKind, openGuestConsole } from '../console/guest-console.js';
import { readConsole } from '../disk/console-log.js';
import { HeldImages } from '../disk/held-images.js';
import type { ImageCache } from '../disk/image-cache.js';
import type { Run } from '../exec/run.js';
import { Libvirt } from '../libvirt/client.js';
import type { AdvertisementGuard } from '../ovs/advertisement-guard.js';
import { Backups } from './backups.js';
import { DIAGNOSED, type Diagnostics, diagnosticsOf } from './diagnostics.js';
import { LentKeys } from './disk-keys.js';
import { Disks, explained } from './disks.js';
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
import { Exports } from './exports.js';
import { Guests } from './guests.js';
import { incidentOf } from './incidents.js';
import { Interfaces } from './interfaces.js';
import { Lifecycle, type LifecycleOptions } from './lifecycle.js';
import { Machines, type MachinesOptions } from './machines.js';

export interface LibvirtDriverOptions extends MachinesOptions, LifecycleOptions {
  readonly socket: string;
  readonly images: ImageCache;
  readonly advertisements: AdvertisementGuard;
  readonly run: Run;
  /** Domains that are started or destroyed at a time. */
  readonly parallel: number;
  /** Mixed into what guests are given as random seed. */
  readonly secret: string;
}

const GIB = 1 << 30;
const MIB = 1 << 20;

export class LibvirtDriver implements HypervisorDriver {
  readonly #options: LibvirtDriverOptions;
  readonly #libvirt: Libvirt;
  readonly #domains: Domains;
  readonly #lifecycle: Lifecycle;
  readonly #disks: Disks;
  readonly #machines: Machines;
  readonly #exports: Exports;
  readonly #guests: Guests;
  readonly #held: HeldImages;
  #events: DriverEvents | undefined;

  constructor(options: LibvirtDriverOptions) {
    this.#options = options;
    this.#libvirt = new Libvirt({
      socket: options.socket,
      log: options.log,
      onLifecycle: (event) => {
        const serverId = event.domain.uuid;
        this.#domains.changed(serverId);
        this.#events?.changed(serverId, incidentOf(event));
      },
      onConnect: () => {
        this.#machines.lookAgain();
        this.#events?.resynced();
      },
    });
    this.#domains = new Domains(this.#libvirt, options.log, options.parallel);
    this.#guests = new Guests(this.#libvirt, options.log);
    this.#disks = new Disks(options);
    this.#held = new HeldImages(this.#disks);
    this.#machines = new Machines(this.#libvirt, options);
    this.#exports = new Exports(options, this.#domains, new Backups(this.#libvirt, options.log));
    this.#lifecycle = new Lifecycle(options, {
      domains: this.#domains,
      disks: this.#disks,
      interfaces: new Interfaces(this.#libvirt, this.#domains),
      machines: this.#machines,
      exports: this.#exports,
      lent: new LentKeys(this.#libvirt, options.log),
      keysOf: (serverId) => this.#events!.keys(serverId),
    });
  }

  async start(events: DriverEvents): Promise<void> {
    this.#events = events;
    this.#options.advertisements.start();
    await this.#disks.start();
    await this.#machines.start();
    this.#libvirt.start();
    // In the background: the networks of running guests are served as soon as may be, and nothing waits for it.
    const post = (serverId: string, password: string) => events.posted(serverId, password);
    void this.#options.metadata.start(this.#options.instances.specs(), post);
  }

  async stop(): Promise<void> {
    this.#disks.stop();
    this.#held.stop();
    await this.#options.advertisements.stop();
    await this.#options.metadata.stop();
    await this.#libvirt.stop();
  }

  get health(): string {
    return this.#libvirt.health;
  }

  capacity(): Promise<Capacity> {
    return this.#machines.capacity();
  }

  async room(): Promise<Room> {
    const { bavail, bsize } = await statfs(this.#options.instances.folder);
    return { freeDiskGb: Math.floor((bavail * bsize) / GIB), freeMemoryMb: Math.floor(freemem() / MIB) };
  }

  ensureRunning(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    return this.#lifecycle.ensureRunning(spec, signal);
  }

  ensureStopped(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    return this.#lifecycle.ensureStopped(spec, signal);
  }

  ensurePaused(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    return this.#lifecycle.ensurePaused(spec, signal);
  }

  ensureSuspended(spec: ServerSpec): Promise<void> {
    return this.#lifecycle.ensureSuspended(spec);
  }

  ensureAbsent(serverId: string): Promise<void> {
    return this.#lifecycle.ensureAbsent(serverId);
  }

  reboot(spec: ServerSpec, kind: RebootKind, signal: AbortSignal): Promise<void> {
    return this.#lifecycle.reboot(spec, kind, signal);
  }

  async exportDisk(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    try {
      await this.#exports.make(spec, this.#disks.of(spec), signal);
    } catch (error) {
      throw explained(error, spec.serverId);
    }
  }

  holdImage(source: computeV1.ImageSource): Promise<boolean> {
    return this.#held.hold(source);
  }

  async tell(spec: ServerSpec): Promise<void> {
    const { instances, metadata } = this.#options;
    const kept = await instances.tell(spec);
    if (!kept) return;
    await metadata.plug(kept);
    await metadata.keepOnly(instances.specs());
  }

  interrupt(serverId: string): Promise<void> {
    return this.#guests.interrupt(serverId);
  }

  setPassword(serverId: string, user: string, password: string, signal: AbortSignal): Promise<void> {
    return this.#guests.setPassword(serverId, user, password, signal);
  }

  power(serverId: string): Promise<PowerState> {
    return this.#domains.power(serverId);
  }

  async diagnostics(serverId: string): Promise<Diagnostics> {
    const power = await this.#domains.power(serverId);
    const stats = power === 'running' ? await this.#domains.stats(serverId, DIAGNOSED) : new Map();
    const { instances, probe } = this.#options;
    const hypervisor = probe.accel === 'kvm' ? 'kvm' : 'qemu';
    return { power, hypervisor, ...diagnosticsOf(stats, instances.spec(serverId)?.nics ?? []) };
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

  openConsole(serverId: string, kind: ConsoleKind): Promise<Duplex> {
    return openGuestConsole(this.#libvirt, serverId, kind);
  }
}
