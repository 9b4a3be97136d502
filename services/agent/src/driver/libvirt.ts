/**
 * A real node: QEMU through libvirt, disks in the agent's folder, interfaces plugged into OVS by libvirt, metadata on
 * each network. Every step looks first at what is there, so that any of them may be cut off and repeated.
 */
import { statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import type { Duplex } from 'node:stream';
import type { PowerState } from '#libs/contract';
import { fail, isFailure } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { type ConsoleKind, openGuestConsole } from '../console/guest-console.js';
import { readConsole } from '../disk/console-log.js';
import type { ImageCache } from '../disk/image-cache.js';
import { isUndoSnapshot } from '../disk/undo.js';
import { domainXml, tapName } from '../domain/domain-xml.js';
import type { Run } from '../exec/run.js';
import { Libvirt } from '../libvirt/client.js';
import type { MetadataPlane } from '../metadata/plane.js';
import type { AdvertisementGuard } from '../ovs/advertisement-guard.js';
import type { Ovs } from '../ovs/ovs.js';
import { Backups } from './backups.js';
import { DIAGNOSED, type Diagnostics, diagnosticsOf } from './diagnostics.js';
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
import { Interfaces, type Plugging } from './interfaces.js';
import { Machines, type MachinesOptions } from './machines.js';

export interface LibvirtDriverOptions extends MachinesOptions {
  readonly socket: string;
  readonly bridge: string;
  readonly images: ImageCache;
  readonly metadata: MetadataPlane;
  readonly ovs: Ovs;
  readonly advertisements: AdvertisementGuard;
  readonly run: Run;
  readonly log: Log;
  /** Domains that are started or destroyed at a time. */
  readonly parallel: number;
  /** Milliseconds a guest has to obey the power button. */
  readonly shutdownMs: number;
  /** Mixed into what guests are given as random seed. */
  readonly secret: string;
}

const GIB = 1 << 30;
const MIB = 1 << 20;

export class LibvirtDriver implements HypervisorDriver {
  readonly #options: LibvirtDriverOptions;
  readonly #libvirt: Libvirt;
  readonly #domains: Domains;
  readonly #interfaces: Interfaces;
  readonly #disks: Disks;
  readonly #machines: Machines;
  readonly #exports: Exports;
  readonly #guests: Guests;
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
    this.#interfaces = new Interfaces(this.#libvirt, this.#domains);
    this.#guests = new Guests(this.#libvirt, options.log);
    this.#disks = new Disks(options);
    this.#machines = new Machines(this.#libvirt, options);
    this.#exports = new Exports(options, this.#domains, new Backups(this.#libvirt, options.log));
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

  async ensureRunning(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    const { serverId } = spec;
    await this.#exports.clear(serverId);
    const before = await this.#domains.power(serverId);
    const due = await this.#disks.areDue(spec);
    const turns = await this.#startsAnew(spec);
    if (turns) await this.#offForAnother(spec, before, signal);
    await this.#options.instances.save(spec);
    const plugged = this.#options.metadata.plug(spec);
    plugged.catch(() => undefined);
    if (before === 'running' && !due && !turns) return this.#goesOn(spec, plugged, signal);
    if (before === 'paused' && !due && !turns) return this.#domains.resume(serverId);
    try {
      // A machine that this node can not give is refused before an image is fetched for it.
      await this.#machines.of(spec);
      if (due && before !== 'absent') await this.#clearForNewDisk(spec, signal);
      await this.#disks.prepare(spec, signal);
      await plugged;
      signal.throwIfAborted();
      await this.#domains.start(await this.#xml(spec));
    } catch (error) {
      // A first start that failed for good leaves nothing; one that is tried again keeps what it has.
      const verdict = explained(error, serverId);
      const first = before === 'absent' && spec.launchedAtMs === 0;
      if (first && !signal.aborted && !isFailure(verdict, 'unavailable')) await this.ensureAbsent(serverId);
      throw verdict;
    }
  }

  async ensureStopped(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    await this.#exports.clear(spec.serverId);
    const power = await this.#domains.power(spec.serverId);
    const due = await this.#disks.areDue(spec);
    const changes = due || (await this.#disks.needOff(spec)) || (await this.#disks.keepTooMuch(spec));
    if (power === 'absent' && !changes) return;
    if (power === 'running' || power === 'paused') await this.#off(spec.serverId, signal);
    if (power === 'suspended') await this.#domains.forgetSaved(spec.serverId);
    await this.#options.instances.save(spec);
    if (!changes) return;
    try {
      if (due) await this.#clearForNewDisk(spec, signal);
      await this.#disks.prepare(spec, signal);
    } catch (error) {
      throw explained(error, spec.serverId);
    }
  }

  /**
   * True when the guest has to be off before the spec can hold. The kept spec says what it was started with: it is written
   * only after a guest that has to boot from another disk is off.
   */
  async #startsAnew(spec: ServerSpec): Promise<boolean> {
    const kept = this.#options.instances.spec(spec.serverId);
    const boots = kept !== undefined && kept.rescue?.epoch !== spec.rescue?.epoch;
    return boots || this.#disks.needOff(spec);
  }

  /** What can fail without harm comes first. A memory that was saved does not fit another machine. */
  async #offForAnother(spec: ServerSpec, power: PowerState, signal: AbortSignal): Promise<void> {
    if (spec.rescue) await this.#disks.fetch(spec.rescue.image, signal);
    await this.#off(spec.serverId, signal);
    if (power === 'suspended') await this.#domains.forgetSaved(spec.serverId);
  }

  /** What may change about a guest that runs: its interfaces, and that what its disks were is not kept any more. */
  async #goesOn(spec: ServerSpec, plugged: Promise<void>, signal: AbortSignal): Promise<void> {
    await plugged;
    await this.#interfaces.follow(spec, await this.#plugging(spec), signal);
    await this.#options.metadata.keepOnly(this.#options.instances.specs());
    if (!(await this.#disks.keepTooMuch(spec))) return;
    await this.#domains.forgetSnapshots(spec.serverId, isUndoSnapshot);
    await this.#disks.forgotten(spec);
  }

  async ensurePaused(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    const power = await this.#standing(spec);
    if (power === 'running') await this.#domains.pause(spec.serverId);
    else if (power !== 'paused') throw fail.conflict('its guest does not run any more');
    await this.#interfaces.follow(spec, await this.#plugging(spec), signal);
  }

  async ensureSuspended(spec: ServerSpec): Promise<void> {
    const power = await this.#standing(spec);
    if (power === 'running' || power === 'paused') await this.#domains.save(spec.serverId);
    else if (power !== 'suspended') throw fail.conflict('its guest does not run any more');
  }

  /** Keeps the spec and its networks, and says how the guest is. */
  async #standing(spec: ServerSpec): Promise<PowerState> {
    await this.#exports.clear(spec.serverId);
    await this.#options.instances.save(spec);
    await this.#options.metadata.plug(spec);
    return this.#domains.power(spec.serverId);
  }

  /** The guest goes on until the new disk's image is here; what its machine remembers goes with the old disk. */
  async #clearForNewDisk(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    await this.#disks.fetch(spec.image, signal);
    await this.#domains.destroy(spec.serverId);
    await this.#domains.undefine(spec.serverId);
  }

  async ensureAbsent(serverId: string): Promise<void> {
    const { instances, metadata, ovs } = this.#options;
    await this.#domains.destroy(serverId);
    await this.#domains.undefine(serverId);
    await ovs.remove((instances.spec(serverId)?.nics ?? []).map((nic) => tapName(nic.portId)));
    await instances.remove(serverId);
    this.#machines.forget(serverId);
    await metadata.keepOnly(instances.specs());
  }

  async reboot(spec: ServerSpec, kind: RebootKind, signal: AbortSignal): Promise<void> {
    const power = await this.#domains.power(spec.serverId);
    if (power === 'suspended') await this.#domains.forgetSaved(spec.serverId);
    else if (power !== 'absent' && power !== 'stopped') {
      if (kind === 'HARD') await this.#domains.destroy(spec.serverId);
      else await this.#off(spec.serverId, signal);
    }
    await this.ensureRunning(spec, signal);
  }

  async exportDisk(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    try {
      await this.#exports.make(spec, this.#disks.of(spec), signal);
    } catch (error) {
      throw explained(error, spec.serverId);
    }
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

  async #off(serverId: string, signal: AbortSignal): Promise<void> {
    if (await this.#domains.shutDown(serverId, this.#options.shutdownMs, signal)) return;
    this.#options.log.info({ serverId }, 'the guest did not obey the power button; it is switched off');
    await this.#domains.destroy(serverId);
  }

  async #plugging(spec: ServerSpec): Promise<Plugging> {
    return { bridge: this.#options.bridge, hardware: await this.#machines.of(spec) };
  }

  async #xml(spec: ServerSpec): Promise<string> {
    const { instances, bridge, probe } = this.#options;
    return domainXml({
      serverId: spec.serverId,
      displayName: spec.name,
      projectId: spec.projectId,
      vcpus: spec.vcpus,
      memoryMb: spec.memoryMb,
      accel: probe.accel,
      hardware: await this.#machines.of(spec),
      disk: this.#disks.of(spec),
      localDisks: this.#disks.localOf(spec),
      rescue: this.#disks.rescueOf(spec),
      configDrive: this.#disks.configDrive(spec),
      nics: spec.nics,
      bridge,
      consoleLog: instances.console(spec.serverId),
    });
  }
}
