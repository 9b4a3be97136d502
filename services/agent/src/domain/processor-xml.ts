/** Processors and memory of a domain: what the guest sees of them, and where on the host they lie. */
import type { Hardware } from '../hardware/hardware.js';
import type { Layout } from '../hardware/memory-layout.js';
import { cpuRanges } from '../hardware/wishes.js';
import type { Accel } from '../kvm/probe.js';
import { type Element, element } from './xml.js';

interface Machine {
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly accel: Accel;
  readonly hardware: Hardware;
}

export const vcpus = ({ vcpus: count, hardware }: Machine): Element =>
  element('vcpu', hardware.sharedCpus ? { placement: 'static', cpuset: hardware.sharedCpus } : {}, count);

export function memoryBacking({ cells }: Layout): Element | undefined {
  const pages = cells.flatMap((cell, nodeset) =>
    cell.pageKib === undefined ? [] : [element('page', { size: cell.pageKib, unit: 'KiB', nodeset })],
  );
  return pages.length ? element('memoryBacking', {}, element('hugepages', {}, pages)) : undefined;
}

export function cpuTuning({ cpuQuota, layout }: Hardware): Element | undefined {
  const { shares, period, quota } = cpuQuota;
  const tuned = [
    shares === undefined ? undefined : element('shares', {}, shares),
    period === undefined ? undefined : element('period', {}, period),
    quota === undefined ? undefined : element('quota', {}, quota),
    ...[...layout.floats, ...layout.pins.map(({ vcpu, hostCpu }) => ({ vcpu, hostCpus: [hostCpu] }))]
      .sort((a, b) => a.vcpu - b.vcpu)
      .map(({ vcpu, hostCpus }) => element('vcpupin', { vcpu, cpuset: cpuRanges(hostCpus) })),
    layout.pins.length ? element('emulatorpin', { cpuset: emulatorCpus(layout) }) : undefined,
  ];
  return tuned.some((one) => one !== undefined) ? element('cputune', {}, tuned) : undefined;
}

const emulatorCpus = ({ emulatorCpus: own, pins }: Layout): string =>
  cpuRanges(own.length ? own : pins.map((pin) => pin.hostCpu));

/** On a host of one cell there is nothing to bind to. */
export function memoryTuning({ cells }: Layout): Element | undefined {
  if (cells.length === 0 || cells.every((cell) => cell.hostCell === 0)) return undefined;
  const nodeset = cpuRanges(cells.map((cell) => cell.hostCell));
  return element('numatune', {}, [
    element('memory', { mode: 'strict', nodeset }),
    ...cells.map((cell, cellid) => element('memnode', { cellid, mode: 'strict', nodeset: String(cell.hostCell) })),
  ]);
}

/** Emulation translates into a cache that would otherwise grow to a gigabyte. */
export function features({ memoryMb, accel, hardware }: Machine): Element {
  const { pmu, hidden, firmware, windows } = hardware;
  const cacheMib = memoryMb <= 1024 ? 64 : 256;
  return element(
    'features',
    {},
    element('acpi'),
    element('apic'),
    firmware?.secureBoot ? element('smm', { state: 'on' }) : undefined,
    pmu === undefined ? undefined : element('pmu', { state: pmu ? 'on' : 'off' }),
    windows && accel === 'kvm' ? hypervisorInterface() : undefined,
    hidden && accel === 'kvm' ? element('kvm', {}, element('hidden', { state: 'on' })) : undefined,
    accel === 'tcg' ? element('tcg', {}, element('tb-cache', { unit: 'MiB' }, cacheMib)) : undefined,
  );
}

/** What Windows expects of a hypervisor; QEMU alone does not have it. */
const hypervisorInterface = (): Element =>
  element('hyperv', {}, [
    element('relaxed', { state: 'on' }),
    element('vapic', { state: 'on' }),
    element('spinlocks', { state: 'on', retries: 8191 }),
    element('vpindex', { state: 'on' }),
    element('synic', { state: 'on' }),
  ]);

export function processor({ accel, hardware }: Machine): Element {
  const { cpu, topology, layout, hidden } = hardware;
  const { sockets, cores, threads } = topology;
  return element(
    'cpu',
    {
      mode: cpu.mode,
      match: cpu.mode === 'custom' ? 'exact' : undefined,
      check: cpu.mode === 'host-model' || cpu.mode === 'custom' ? 'partial' : undefined,
    },
    cpu.model === undefined ? undefined : element('model', { fallback: 'forbid' }, cpu.model),
    cpu.addressBits ? element('maxphysaddr', { ...cpu.addressBits }) : undefined,
    element('topology', { sockets, dies: 1, cores, threads }),
    // Five-level paging costs an emulated guest dearly and gives it nothing.
    accel === 'tcg' ? element('feature', { policy: 'disable', name: 'la57' }) : undefined,
    hidden ? element('feature', { policy: 'disable', name: 'hypervisor' }) : undefined,
    layout.cells.length ? numa(layout) : undefined,
  );
}

const numa = ({ cells }: Layout): Element =>
  element(
    'numa',
    {},
    cells.map(({ cpus, memoryMb }, id) =>
      element('cell', { id, cpus: cpuRanges(cpus), memory: memoryMb, unit: 'MiB' }),
    ),
  );

export function clock({ accel, hardware }: Pick<Machine, 'accel' | 'hardware'>): Element {
  return element('clock', { offset: hardware.windows ? 'localtime' : 'utc' }, ...timers(accel, hardware));
}

function timers(accel: Accel, { hpet, windows }: Hardware): Element[] {
  const list = [
    element('timer', { name: 'rtc', tickpolicy: 'catchup' }),
    element('timer', { name: 'hpet', present: hpet ? 'yes' : 'no' }),
  ];
  if (accel !== 'kvm') return list;
  const own = windows ? [element('timer', { name: 'hypervclock', present: 'yes' })] : [];
  return [...list, element('timer', { name: 'pit', tickpolicy: 'delay' }), ...own];
}
