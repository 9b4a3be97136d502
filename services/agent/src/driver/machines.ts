/**
 * What machine each server gets on this node. What the node can give is read from libvirt once for each connection; the
 * host processors that a server holds for itself stand in a file beside its disks, so that it has the same ones after any
 * restart, and nobody else gets them while the server is here.
 */
import { open, readFile, rename, statfs } from 'node:fs/promises';
import type { Instances } from '../disk/instances.js';
import { type Abilities, abilitiesOf } from '../hardware/abilities.js';
import type { CpuPreference } from '../hardware/cpu.js';
import { type Hardware, hardwareOf } from '../hardware/hardware.js';
import type { Layout } from '../hardware/memory-layout.js';
import { cpuFeatures, traitsOf } from '../hardware/traits.js';
import type { Probe } from '../kvm/probe.js';
import type { Libvirt } from '../libvirt/client.js';
import { PROCEDURES } from '../libvirt/protocol.js';
import { explained } from './domains.js';
import type { Capacity, ServerSpec } from './driver.js';

const GIB = 1 << 30;

export interface MachinesOptions {
  readonly instances: Instances;
  readonly probe: Probe;
  /** The operator's choice of what processor guests see. */
  readonly cpu: CpuPreference;
  /** Host processors that are set aside for guests with processors of their own. */
  readonly dedicatedCpus: ReadonlySet<number>;
  /** Those that other guests share; empty: all others. */
  readonly sharedCpus: ReadonlySet<number>;
  readonly capacity: { readonly vcpus?: number; readonly memoryMb?: number; readonly diskGb?: number };
}

export class Machines {
  readonly #libvirt: Libvirt;
  readonly #options: MachinesOptions;
  readonly #layouts = new Map<string, Layout>();
  #abilities: Promise<Abilities> | undefined;

  constructor(libvirt: Libvirt, options: MachinesOptions) {
    this.#libvirt = libvirt;
    this.#options = options;
  }

  /** Reads what servers hold. */
  async start(): Promise<void> {
    const { instances } = this.#options;
    for (const serverId of await instances.list()) {
      const text = await readFile(instances.layout(serverId), 'utf8').catch(() => undefined);
      if (text !== undefined) this.#layouts.set(serverId, JSON.parse(text) as Layout);
    }
  }

  /** The hypervisor was reached anew; it may be another one by now. */
  lookAgain(): void {
    this.#abilities = undefined;
  }

  /** The server's machine; what it holds is written down. Throws the reason why it can not be had here. */
  async of(spec: ServerSpec): Promise<Hardware> {
    const abilities = await this.#known();
    const { serverId, extraSpecs, imageProperties, vcpus, memoryMb } = spec;
    const before = this.#layouts.get(serverId);
    const taken = new Set([...this.#layouts].flatMap(([id, layout]) => (id === serverId ? [] : layout.held)));
    const order = { extraSpecs, imageProperties, vcpus, memoryMb, taken, before };
    const hardware = hardwareOf(order, abilities, this.#options.cpu);
    if (hardware.layout !== before && (before || hardware.layout.held.length)) {
      this.#layouts.set(serverId, hardware.layout);
      await this.#write(serverId, hardware.layout);
    }
    return hardware;
  }

  forget(serverId: string): void {
    this.#layouts.delete(serverId);
  }

  /** The node in the words of its enrolment. */
  async capacity(): Promise<Capacity> {
    const { probe, capacity, instances } = this.#options;
    const hypervisorVersion = await this.#libvirt.call(PROCEDURES.version, undefined);
    const node = await this.#libvirt.call(PROCEDURES.nodeInfo, undefined);
    const { blocks, bsize } = await statfs(instances.folder);
    const { sharedCpus } = await this.#known();
    return {
      hypervisorType: 'QEMU',
      hypervisorVersion,
      accel: probe.accel,
      accelReason: probe.reason,
      vcpus: capacity.vcpus ?? sharedCpus.size,
      memoryMb: capacity.memoryMb ?? Math.floor(node.memoryKib / 1024),
      diskGb: capacity.diskGb ?? Math.floor((blocks * bsize) / GIB),
      ...(await this.#described()),
    };
  }

  /** What its guests' processors are, its cells, and what it can give. */
  async #described(): Promise<Pick<Capacity, 'cpuInfo' | 'traits'>> {
    const abilities = await this.#known();
    const host = await hostCpu();
    const features = cpuFeatures(abilities, host.flags);
    const count = abilities.cells.reduce((sum, cell) => sum + cell.cpus.length, 0);
    return {
      traits: traitsOf(abilities, host.flags),
      cpuInfo: {
        ...{ vendor: host.vendor, model: host.model, arch: 'x86_64', features },
        topology: { sockets: abilities.cells.length, cores: count, threads: 1 },
        dedicatedCpus: abilities.dedicatedCpus.size,
        machineTypes: [...abilities.machineTypes.keys()],
        numa: abilities.cells.map(({ cpus, memoryMb }) => ({ cpus: cpus.map(({ id }) => id), memoryMb })),
      },
    };
  }

  #known(): Promise<Abilities> {
    this.#abilities ??= this.#read().catch((error: unknown) => {
      this.#abilities = undefined;
      throw explained(error);
    });
    return this.#abilities;
  }

  async #read(): Promise<Abilities> {
    const { probe, dedicatedCpus, sharedCpus } = this.#options;
    const virtType = probe.accel === 'kvm' ? 'kvm' : 'qemu';
    const family = (machine: string): Promise<string> =>
      this.#libvirt.call(PROCEDURES.domainCapabilities, { machine, virtType });
    const [host, pc, q35, node, cpuQuota] = await Promise.all([
      this.#libvirt.call(PROCEDURES.capabilities, undefined),
      family('pc'),
      family('q35'),
      this.#libvirt.call(PROCEDURES.nodeInfo, undefined),
      hasCpuController(),
    ]);
    const memoryMb = Math.floor(node.memoryKib / 1024);
    return abilitiesOf(
      { host, families: { pc, q35 } },
      { accel: probe.accel, cpus: node.cpus, memoryMb, dedicatedCpus, sharedCpus, cpuQuota },
    );
  }

  async #write(serverId: string, layout: Layout): Promise<void> {
    const path = this.#options.instances.layout(serverId);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(layout));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }
}

/** Either layout of control groups. */
async function hasCpuController(): Promise<boolean> {
  const known = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  if (/:(?:[^:]*,)?cpu(?:,[^:]*)?:/.test(known)) return true;
  const unified = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => '');
  return unified.split(/\s+/).includes('cpu');
}

async function hostCpu(): Promise<{ vendor: string; model: string; flags: string[] }> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const field = (name: string): string => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const model = field('model name') || 'unknown';
  return { vendor: field('vendor_id') || 'unknown', model, flags: field('flags').split(' ').filter(Boolean) };
}
