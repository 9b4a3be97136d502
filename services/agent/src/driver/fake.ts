/**
 * A node that exists only in the books: the same semantics as a real one, in memory, with small delays. Its domains are
 * kept in a journal, because guests outlive the agent. For tests and for simulating thousands of nodes in one process.
 */
import { type Duplex, PassThrough } from 'node:stream';
import type { PowerState } from '#libs/contract';
import { delay, fail } from '#libs/kernel';
import type { ConsoleKind } from '../console/guest-console.js';
import { sendBytes } from '../disk/image-upload.js';
import { emptyQcow2 } from '../disk/qcow2-header.js';
import { Journal } from '../fence/journal.js';
import { PRETENDED } from '../hardware/traits.js';
import { type Diagnostics, diagnosticsOf } from './diagnostics.js';
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

export interface FakeDelays {
  readonly startMs: number;
  readonly stopMs: number;
  readonly destroyMs: number;
}

export interface FakeOptions {
  readonly delays?: Partial<FakeDelays>;
  readonly vcpus?: number;
  readonly memoryMb?: number;
  readonly diskGb?: number;
  /** Where domains survive the process; in memory alone without it. */
  readonly journal?: string;
  /** A fault to raise before a step, for tests. */
  fault?(step: Step, serverId: string): Error | undefined;
}

type Step = 'prepare' | 'start' | 'stop' | 'destroy' | 'export' | 'interrupt' | 'password';

interface FakeDomain {
  readonly serverId: string;
  readonly power: PowerState;
  readonly ports: readonly string[];
  readonly vcpus: number;
  readonly memoryMb: number;
  /** Of all its disks. */
  readonly diskGb: number;
  readonly boots: number;
  readonly interrupts?: number;
  /** Of its root disk. */
  readonly epoch?: number;
  /** Of the rescue disk that it was started from; 0 for its own. */
  readonly rescue?: number;
  /** The state of its disks that is kept; 0 for none. */
  readonly kept?: number;
}

const LIMIT_LINES = 5_000;
const GIB = 2 ** 30;

export class FakeDriver implements HypervisorDriver {
  readonly health = 'ok';
  readonly #options: FakeOptions;
  readonly #delays: FakeDelays;
  readonly #domains = new Map<string, FakeDomain>();
  #events: DriverEvents | undefined;
  #journal: Journal | undefined;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.#delays = { startMs: 5, stopMs: 5, destroyMs: 2, ...options.delays };
  }

  async start(events: DriverEvents): Promise<void> {
    this.#events = events;
    if (this.#options.journal) {
      const { journal, records } = await Journal.open(this.#options.journal, { sync: false });
      this.#journal = journal;
      for (const domain of records as FakeDomain[]) this.#remember(domain);
    }
    events.resynced();
  }

  async stop(): Promise<void> {
    await this.#journal?.close();
  }

  async capacity(): Promise<Capacity> {
    const { vcpus = 64, memoryMb = 262_144, diskGb = 2_000 } = this.#options;
    const cpuInfo = {
      vendor: 'fake',
      model: 'fake',
      arch: 'x86_64',
      features: [],
      topology: { sockets: 1, cores: vcpus, threads: 1 },
    };
    return {
      hypervisorType: 'fake',
      hypervisorVersion: 1,
      accel: 'fake',
      accelReason: 'simulated',
      vcpus,
      memoryMb,
      diskGb,
      cpuInfo,
      traits: PRETENDED,
    };
  }

  async room(): Promise<Room> {
    const { memoryMb, diskGb } = await this.capacity();
    const used = [...this.#domains.values()];
    return {
      freeDiskGb: Math.floor(diskGb - used.reduce((sum, one) => sum + one.diskGb, 0)),
      freeMemoryMb:
        memoryMb - used.filter((one) => one.power === 'running').reduce((sum, one) => sum + one.memoryMb, 0),
    };
  }

  async ensureRunning(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    const before = this.#domains.get(spec.serverId);
    if (before?.power === 'running' && !isDue(spec, before) && !startsAnew(spec, before)) {
      const kept = keptBy(spec) ? before.kept : 0;
      return this.#keep({ ...before, kept, ports: spec.nics.map((nic) => nic.portId) });
    }
    this.#raise('prepare', spec.serverId);
    this.#assertImage(spec, before);
    await this.#keep(this.#domainOf(spec, this.#domains.get(spec.serverId)?.power ?? 'stopped'));
    await delay(this.#delays.startMs, signal);
    signal.throwIfAborted();
    this.#raise('start', spec.serverId);
    const goesOn = before?.power === 'paused' || before?.power === 'suspended';
    const boots = (before?.boots ?? 0) + (goesOn ? 0 : 1);
    await this.#keep({ ...this.#domainOf(spec, 'running'), boots });
  }

  async ensureStopped(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    const domain = this.#domains.get(spec.serverId);
    if (!domain || (domain.power === 'stopped' && !isDue(spec, domain) && !startsAnew(spec, domain))) return;
    this.#raise('stop', spec.serverId);
    this.#assertImage(spec, domain);
    await delay(this.#delays.stopMs, signal);
    signal.throwIfAborted();
    await this.#keep(this.#domainOf(spec, 'stopped'));
  }

  ensurePaused(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    return this.#still(spec, 'paused', signal);
  }

  ensureSuspended(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    return this.#still(spec, 'suspended', signal);
  }

  async #still(spec: ServerSpec, wanted: 'paused' | 'suspended', signal: AbortSignal): Promise<void> {
    const domain = this.#domains.get(spec.serverId);
    if (domain?.power === wanted) return;
    if (domain?.power !== 'running' && (domain?.power !== 'paused' || wanted === 'paused'))
      throw fail.conflict('its guest does not run any more');
    this.#raise('stop', spec.serverId);
    await delay(this.#delays.stopMs, signal);
    signal.throwIfAborted();
    await this.#keep({ ...domain, power: wanted });
  }

  async ensureAbsent(serverId: string): Promise<void> {
    const domain = this.#domains.get(serverId);
    if (!domain) return;
    this.#raise('destroy', serverId);
    await delay(this.#delays.destroyMs);
    await this.#keep({ ...domain, power: 'absent' });
  }

  async reboot(spec: ServerSpec, _kind: RebootKind, signal: AbortSignal): Promise<void> {
    await this.ensureStopped(spec, signal);
    await this.ensureRunning(spec, signal);
  }

  /** What is sent is an empty disk of the right size. */
  async exportDisk(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    const { uploadUrl, trouble } = spec.export!;
    this.#raise('export', spec.serverId);
    if (trouble) throw fail.conflict(trouble);
    if (uploadUrl) await sendBytes(emptyQcow2(Math.max(spec.diskGb, 1) * GIB), uploadUrl, signal);
  }

  /** A simulated node holds every image. */
  async holdImage(): Promise<boolean> {
    return true;
  }

  /** A simulated guest asks for nothing. */
  async tell(): Promise<void> {}

  async interrupt(serverId: string): Promise<void> {
    const domain = this.#domains.get(serverId);
    if (domain?.power !== 'running' && domain?.power !== 'paused') throw fail.conflict('its guest does not run');
    this.#raise('interrupt', serverId);
    await this.#keep({ ...domain, interrupts: (domain.interrupts ?? 0) + 1 });
  }

  /** A simulated guest takes any password and keeps none. */
  async setPassword(serverId: string, _user: string, _password: string): Promise<void> {
    if (this.#domains.get(serverId)?.power !== 'running') throw fail.conflict('its guest does not run');
    this.#raise('password', serverId);
  }

  async power(serverId: string): Promise<PowerState> {
    return this.#domains.get(serverId)?.power ?? 'absent';
  }

  /** A simulated guest uses nothing. */
  async diagnostics(serverId: string): Promise<Diagnostics> {
    const domain = this.#domains.get(serverId);
    const counted = domain?.power === 'running' ? domain : { vcpus: 0, memoryMb: 0 };
    const stats = new Map([
      ['vcpu.current', counted.vcpus],
      ['balloon.maximum', counted.memoryMb * 1024],
    ]);
    return { power: domain?.power ?? 'absent', hypervisor: 'fake', ...diagnosticsOf(stats, []) };
  }

  async list(): Promise<DomainView[]> {
    return [...this.#domains.values()].map(({ serverId, power }) => ({ serverId, power }));
  }

  async inventory(): Promise<Inventory> {
    const domains = await this.list();
    const taps = [...this.#domains.values()]
      .filter((one) => one.power === 'running')
      .flatMap((one) => one.ports.map((portId) => ({ portId, device: `tap${portId.slice(0, 11)}` })));
    return { domains, disks: domains.map((one) => one.serverId), taps, foreign: [] };
  }

  async consoleLog(serverId: string, lines: number): Promise<Buffer> {
    const domain = this.#domains.get(serverId);
    if (!domain) throw fail.notFound(`no server ${serverId} is on this node`);
    const log = Array.from(
      { length: domain.boots },
      (_, n) => `simulated guest ${serverId}\nREADY boot=${n + 1}\n`,
    ).join('');
    return Buffer.from(lines > 0 ? log.trimEnd().split('\n').slice(-lines).join('\n').concat('\n') : log);
  }

  /** A simulated guest has no screen; its serial line says what it is told. */
  async openConsole(serverId: string, kind: ConsoleKind): Promise<Duplex> {
    const domain = this.#domains.get(serverId);
    if (!domain) throw fail.notFound(`no server ${serverId} is on this node`);
    if (domain.power !== 'running' || kind !== 'serial') throw fail.conflict(`server ${serverId} has no such console`);
    return new PassThrough();
  }

  /** For tests: what a guest or a crash does by itself. */
  async happen(serverId: string, power: PowerState, why?: string): Promise<void> {
    const domain = this.#domains.get(serverId);
    if (!domain) return;
    await this.#keep({ ...domain, power });
    this.#events?.changed(serverId, why);
  }

  #raise(step: Step, serverId: string): void {
    const fault = this.#options.fault?.(step, serverId);
    if (fault) throw fault;
  }

  /** A disk is made from an image that compute names. */
  #assertImage(spec: ServerSpec, before: FakeDomain | undefined): void {
    if (isDue(spec, before) && !spec.image)
      throw fail.conflict('the disk of the server is not on this node, and no image is named to make it from');
  }

  #domainOf(spec: ServerSpec, power: PowerState): FakeDomain {
    const { serverId, vcpus, memoryMb } = spec;
    const diskGb = spec.diskGb + spec.localDisks.reduce((sum, { sizeMb }) => sum + sizeMb / 1024, 0);
    const boots = this.#domains.get(serverId)?.boots ?? 0;
    const ports = spec.nics.map((nic) => nic.portId);
    return {
      serverId,
      power,
      vcpus,
      memoryMb,
      diskGb,
      boots,
      ports,
      epoch: spec.diskEpoch,
      rescue: spec.rescue?.epoch ?? 0,
    };
  }

  #remember(domain: FakeDomain): void {
    if (domain.power === 'absent') this.#domains.delete(domain.serverId);
    else this.#domains.set(domain.serverId, domain);
  }

  async #keep(domain: FakeDomain): Promise<void> {
    this.#remember(domain);
    if (!this.#journal) return;
    await this.#journal.append(domain);
    if (this.#journal.lines > LIMIT_LINES + 2 * this.#domains.size)
      await this.#journal.rewrite(() => [...this.#domains.values()]);
  }
}

/** True when the spec asks for a root disk that is still to be made. */
const isDue = (spec: ServerSpec, domain: FakeDomain | undefined): boolean =>
  (domain ? (domain.epoch ?? 1) : 0) < spec.diskEpoch;
const keptBy = ({ undo, undoEpoch }: ServerSpec): number => (undo === 'keep' ? undoEpoch : 0);
/** True when the guest has to be off before the spec can hold. */
function startsAnew(spec: ServerSpec, { rescue = 0, kept = 0 }: FakeDomain): boolean {
  if (rescue !== (spec.rescue?.epoch ?? 0)) return true;
  return spec.undo === 'keep' ? kept !== spec.undoEpoch : spec.undo === 'restore' && kept === spec.undoEpoch;
}
