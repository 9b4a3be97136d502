/**
 * Brings a server's guest to where its spec wants it. Every step looks first at what is there, so that any of them may be
 * cut off and repeated.
 */
import type { PowerState } from '#libs/contract';
import { fail, isFailure } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Instances } from '../disk/instances.js';
import { isUndoSnapshot } from '../disk/undo.js';
import { domainXml, tapName } from '../domain/domain-xml.js';
import type { Probe } from '../kvm/probe.js';
import type { MetadataPlane } from '../metadata/plane.js';
import type { Ovs } from '../ovs/ovs.js';
import { type DiskKeys, encryptedDisks, type KeySource, keysFor, type LentKeys } from './disk-keys.js';
import { type Disks, explained } from './disks.js';
import type { Domains } from './domains.js';
import type { RebootKind, ServerSpec } from './driver.js';
import type { Exports } from './exports.js';
import type { Interfaces, Plugging } from './interfaces.js';
import type { Machines } from './machines.js';

export interface LifecycleOptions {
  readonly bridge: string;
  readonly instances: Instances;
  readonly metadata: MetadataPlane;
  readonly ovs: Ovs;
  readonly probe: Probe;
  readonly log: Log;
  /** Milliseconds a guest has to obey the power button. */
  readonly shutdownMs: number;
}

/** What a guest is made of, each with its own keeper. */
export interface LifecycleParts {
  readonly domains: Domains;
  readonly disks: Disks;
  readonly interfaces: Interfaces;
  readonly machines: Machines;
  readonly exports: Exports;
  readonly lent: LentKeys;
  readonly keysOf: KeySource;
}

export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #domains: Domains;
  readonly #disks: Disks;
  readonly #interfaces: Interfaces;
  readonly #machines: Machines;
  readonly #exports: Exports;
  readonly #lent: LentKeys;
  readonly #keysOf: KeySource;

  constructor(options: LifecycleOptions, parts: LifecycleParts) {
    this.#options = options;
    this.#domains = parts.domains;
    this.#disks = parts.disks;
    this.#interfaces = parts.interfaces;
    this.#machines = parts.machines;
    this.#exports = parts.exports;
    this.#lent = parts.lent;
    this.#keysOf = parts.keysOf;
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
      const keys = await this.#keys(spec);
      if (due && before !== 'absent') await this.#clearForNewDisk(spec, signal);
      await this.#disks.prepare(spec, keys, signal);
      await plugged;
      signal.throwIfAborted();
      const xml = await this.#xml(spec);
      await this.#lent.during(keys, () => this.#domains.start(xml));
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
      const keys = await this.#keys(spec);
      if (due) await this.#clearForNewDisk(spec, signal);
      await this.#disks.prepare(spec, keys, signal);
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

  #keys(spec: ServerSpec): Promise<DiskKeys> {
    return keysFor(spec, this.#keysOf);
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
    const kept = instances.spec(serverId);
    if (kept) await this.#lent.takeBack(encryptedDisks(kept));
    await ovs.remove((kept?.nics ?? []).map((nic) => tapName(nic.portId)));
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
