/**
 * A guest's processors and memory on the host's: cells of a NUMA topology, host processors of its own, huge pages. A guest
 * that asks for any of these is laid out by cells, each on a host cell of its own; all others are left to the host's
 * scheduler.
 */
import type { Abilities, HostCell } from './abilities.js';
import { type Chosen, chooseCpus, type ThreadPolicy } from './host-cpus.js';
import { cpuSet, refused, type Wishes } from './wishes.js';

export interface GuestCell {
  /** Guest processors. */
  readonly cpus: readonly number[];
  readonly memoryMb: number;
  readonly hostCell: number;
  /** Undefined: ordinary pages. */
  readonly pageKib: number | undefined;
}

export interface Pin {
  readonly vcpu: number;
  readonly hostCpu: number;
}

/** A guest processor that may run on any of those, beside its memory. */
export interface Float {
  readonly vcpu: number;
  readonly hostCpus: readonly number[];
}

export interface Layout {
  /** Empty: no topology was asked for. */
  readonly cells: readonly GuestCell[];
  readonly pins: readonly Pin[];
  /** On a host of several cells: where those without a pin run. */
  readonly floats: readonly Float[];
  /** Where the emulator's own threads run; empty: wherever the guest's do. */
  readonly emulatorCpus: readonly number[];
  /** Host processors that nobody else may have while the server is on the node. */
  readonly held: readonly number[];
  /** What was asked for, as text: as long as that is the same, so is all of this. */
  readonly asked: string;
}

const NOTHING: Layout = { cells: [], pins: [], floats: [], emulatorCpus: [], held: [], asked: '' };

interface Asked {
  readonly policy: string;
  readonly threads: ThreadPolicy;
  /** Guest processors with a host processor of their own. */
  readonly dedicated: ReadonlySet<number>;
  /** `isolate`: one host processor more, for the emulator; `share`: it runs where all guests do. */
  readonly emulator: string | undefined;
  readonly page: string | undefined;
}

export interface Room {
  readonly vcpus: number;
  readonly memoryMb: number;
  /** Host processors that other servers hold. */
  readonly taken: ReadonlySet<number>;
  /** What this server held before: it keeps it. */
  readonly before: Layout | undefined;
}

/** Throws where the host can not hold it. */
export function layOut(wishes: Wishes, abilities: Abilities, room: Room): Layout {
  const asked = askedOf(wishes, room.vcpus);
  const nodes = wishes.number('numa_nodes') ?? 0;
  if (!nodes && !asked.page && !asked.dedicated.size) return NOTHING;
  const wanted = guestCells(wishes, nodes || 1, room);
  const text = JSON.stringify([wanted, { ...asked, dedicated: [...asked.dedicated] }]);
  // What the server holds still serves, though the node's abilities may have changed since.
  if (room.before?.asked === text) return room.before;
  if (asked.dedicated.size && !abilities.dedicatedCpus.size)
    throw refused('processors of its own: none are set aside on this node');
  return { ...place(wanted, asked, abilities, room), asked: text };
}

function askedOf(wishes: Wishes, vcpus: number): Asked {
  const policy = wishes.text('cpu_policy') ?? 'shared';
  const all = Array.from({ length: vcpus }, (_, n) => n);
  const mask = wishes.flavor('hw:cpu_dedicated_mask') ?? '';
  const masked = cpuSet(mask.trim().startsWith('^') ? `0-${vcpus - 1},${mask}` : mask);
  const hyperthreads = wishes.flavor('trait:HW_CPU_HYPERTHREADING');
  const implied = { required: 'require', forbidden: 'isolate' }[hyperthreads ?? ''];
  return {
    policy,
    threads: (implied ?? wishes.text('cpu_thread_policy') ?? 'prefer') as ThreadPolicy,
    dedicated: policy === 'dedicated' ? new Set(all) : policy === 'mixed' ? masked : new Set(),
    emulator: wishes.flavor('hw:emulator_threads_policy'),
    page: pageOf(wishes),
  };
}

/** The image may only choose among what the flavor leaves open. */
function pageOf(wishes: Wishes): string | undefined {
  const flavor = wishes.flavor('hw:mem_page_size');
  if (flavor === undefined) return undefined;
  const chosen = ['any', 'large'].includes(flavor) ? (wishes.image('hw_mem_page_size') ?? flavor) : flavor;
  return chosen;
}

type Wanted = Pick<GuestCell, 'cpus' | 'memoryMb'>;

function guestCells(wishes: Wishes, nodes: number, { vcpus, memoryMb }: Room): Wanted[] {
  const numbers = Array.from({ length: nodes }, (_, n) => n);
  const cpus = numbers.map((n) => wishes.flavor(`hw:numa_cpus.${n}`) ?? imageItem(wishes, 'hw_numa_cpus', n));
  const memory = numbers.map((n) => wishes.flavor(`hw:numa_mem.${n}`) ?? imageItem(wishes, 'hw_numa_mem', n));
  if (cpus.every((one) => one !== undefined) && memory.every((one) => one !== undefined))
    return numbers.map((n) => ({ cpus: [...cpuSet(cpus[n]!)].sort((a, b) => a - b), memoryMb: Number(memory[n]) }));
  const share = vcpus / nodes;
  if (!Number.isInteger(share) || memoryMb % nodes) throw refused(`${nodes} equal parts of its processors and memory`);
  return numbers.map((n) => ({
    cpus: Array.from({ length: share }, (_, at) => n * share + at),
    memoryMb: memoryMb / nodes,
  }));
}

const imageItem = (wishes: Wishes, key: string, n: number): string | undefined => wishes.image(`${key}.${n}`);

function place(wanted: readonly Wanted[], asked: Asked, abilities: Abilities, room: Room): Omit<Layout, 'asked'> {
  const free = new Set([...abilities.dedicatedCpus].filter((cpu) => !room.taken.has(cpu)));
  const cells: GuestCell[] = [];
  const pins: Pin[] = [];
  const floats: Float[] = [];
  const held: number[] = [];
  const used = new Set<number>();
  for (const cell of wanted) {
    const own = cell.cpus.filter((cpu) => asked.dedicated.has(cpu));
    const found = seat(cell, own.length, asked, abilities.cells, { free, used });
    if (!found) throw refused(`a cell of ${cell.cpus.length} processors and ${cell.memoryMb} MB${pageText(asked)}`);
    used.add(found.host.id);
    for (const cpu of [...found.chosen.cpus, ...found.chosen.blocked]) free.delete(cpu);
    held.push(...found.chosen.cpus, ...found.chosen.blocked);
    pins.push(...own.map((vcpu, n) => ({ vcpu, hostCpu: found.chosen.cpus[n]! })));
    if (abilities.cells.length > 1) floats.push(...floatsOf(cell, asked, found.host, abilities.sharedCpus));
    cells.push({ ...cell, hostCell: found.host.id, pageKib: found.pageKib });
  }
  const isolated = asked.emulator === 'isolate' ? [oneMore(free)] : [];
  const emulatorCpus = asked.emulator === 'share' ? [...abilities.sharedCpus] : isolated;
  return { cells, pins, floats, emulatorCpus, held: [...held, ...isolated] };
}

function floatsOf(cell: Wanted, { dedicated }: Asked, host: HostCell, shared: ReadonlySet<number>): Float[] {
  const hostCpus = host.cpus.map(({ id }) => id).filter((id) => shared.has(id));
  const floating = cell.cpus.filter((cpu) => !dedicated.has(cpu));
  if (floating.length && !hostCpus.length) throw refused(`shared processors in cell ${host.id}`);
  return floating.map((vcpu) => ({ vcpu, hostCpus }));
}

function oneMore(free: ReadonlySet<number>): number {
  const [cpu] = free;
  if (cpu === undefined) throw refused('a processor of its own for the emulator: all are taken');
  return cpu;
}

const pageText = ({ page }: Asked): string => (page && page !== 'small' ? ` in pages of size ${page}` : '');

interface Left {
  readonly free: ReadonlySet<number>;
  readonly used: ReadonlySet<number>;
}

function seat(
  cell: Wanted,
  own: number,
  asked: Asked,
  hosts: readonly HostCell[],
  { free, used }: Left,
): { host: HostCell; chosen: Chosen; pageKib: number | undefined } | undefined {
  for (const host of hosts) {
    if (used.has(host.id) || host.memoryMb < cell.memoryMb) continue;
    const pageKib = pageFor(host, cell.memoryMb, asked.page);
    const chosen = chooseCpus(host, own, asked.threads, free);
    if (chosen && pageKib !== 'none') return { host, chosen, pageKib };
  }
  return undefined;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1, M: 1024, G: 1024 ** 2, T: 1024 ** 3 };

function pageFor(host: HostCell, memoryMb: number, page: string | undefined): number | undefined | 'none' {
  const needed = memoryMb * 1024;
  const fitting = host.hugePages
    .filter(({ sizeKib, count }) => needed % sizeKib === 0 && sizeKib * count >= needed)
    .map(({ sizeKib }) => sizeKib)
    .sort((a, b) => b - a);
  if (page === undefined || page === 'small') return undefined;
  if (page === 'any') return fitting[0];
  if (page === 'large') return fitting[0] ?? 'none';
  const [, number = '', unit = ''] = /^(\d+)\s*([KMGT]?)i?B?$/i.exec(page) ?? [];
  const kib = Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (kib === 4) return undefined;
  return fitting.includes(kib) ? kib : 'none';
}
