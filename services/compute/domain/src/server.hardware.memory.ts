/** How a guest's processors and memory lie in cells of NUMA, and in pages of what size. */
import { cpuPolicyOf, cpusIn } from './server.hardware.cpu.js';
import type { HardwareWords } from './server.hardware.words.js';

export interface CellDemand {
  readonly cpus: number;
  readonly memoryMb: number;
}

interface Size {
  readonly vcpus: number;
  readonly memoryMb: number;
}

const MOST_CELLS = 64;

/** How many cells the guest is to have; 0: none in particular. */
const cellCount = (words: HardwareWords): number =>
  words.count('numa_nodes', 'flavor') ?? words.count('numa_nodes', 'image') ?? 0;

/** Whose word counts where something is said of each cell. */
const speaker = (words: HardwareWords, name: string): 'flavor' | 'image' =>
  words.says(name, 'flavor') ? 'flavor' : 'image';

/** The guest's cells, each to be seated on one of the host's: as they are said to be, else in equal shares. */
export function cellsOf(words: HardwareWords, { vcpus, memoryMb }: Size): CellDemand[] {
  const bound = cpuPolicyOf(words) !== 'shared' || words.flavor('mem_page_size') !== undefined;
  const count = cellCount(words) || (bound ? 1 : 0);
  if (count > MOST_CELLS) return [];
  const cpus = words.each('numa_cpus', count, speaker(words, 'numa_cpus'));
  const memory = words.each('numa_mem', count, speaker(words, 'numa_mem'));
  return Array.from({ length: count }, (_, n) => ({
    cpus: cpus[n] === undefined ? Math.ceil(vcpus / count) : cpusIn(cpus[n]).size,
    memoryMb: Number(memory[n] ?? Math.ceil(memoryMb / count)) || 0,
  }));
}

export function memoryTrouble(words: HardwareWords, size: Size): string | undefined {
  return overridden(words) ?? pageTrouble(words) ?? cellTrouble(words, size);
}

/** An image may say of cells only what its flavor leaves open. */
function overridden(words: HardwareWords): string | undefined {
  const both = words.both('numa_nodes');
  const name =
    both.flavor !== undefined && both.image !== undefined
      ? 'hw_numa_nodes'
      : ['numa_cpus', 'numa_mem'].find((one) => words.says(one, 'flavor') && words.says(one, 'image'));
  if (name === undefined) return undefined;
  const property = name.startsWith('hw_') ? name : `hw_${name}`;
  return `Image property '${property}' is not permitted to override NUMA configuration set against the flavor`;
}

function pageTrouble(words: HardwareWords): string | undefined {
  const { flavor, image } = words.both('mem_page_size');
  if (image === undefined || flavor === 'any' || flavor === 'large') return undefined;
  return `Page size ${image} forbidden against '${flavor ?? ''}'`;
}

const INCOMPLETE = 'CPU and memory allocation must be provided for all NUMA nodes';

function cellTrouble(words: HardwareWords, { vcpus, memoryMb }: Size): string | undefined {
  const count = cellCount(words);
  const [cpuWords, memoryWords] = ['numa_cpus', 'numa_mem'].map((name) =>
    words.each(name, count, speaker(words, name)),
  );
  const said = ['numa_cpus', 'numa_mem'].some((name) => words.says(name, 'flavor') || words.says(name, 'image'));
  if (!said)
    return count && (vcpus % count || memoryMb % count)
      ? 'Instance CPUs and/or memory cannot be evenly distributed across instance NUMA nodes. Explicit assignment of CPUs and memory to nodes is required'
      : undefined;
  if (!count || count > MOST_CELLS || [...cpuWords!, ...memoryWords!].includes(undefined)) return INCOMPLETE;
  const cells = cpuWords!.map((word) => cpusIn(word!));
  const all = cells.flatMap((cell) => [...cell]);
  const beyond = all.find((cpu) => cpu >= vcpus);
  if (beyond !== undefined) return `CPU number ${beyond} is larger than max ${vcpus - 1}`;
  const twice = all.find((cpu, at) => all.indexOf(cpu) !== at);
  if (twice !== undefined) return `CPU number ${twice} is assigned to two nodes`;
  const left = Array.from({ length: vcpus }, (_, cpu) => cpu).filter((cpu) => !all.includes(cpu));
  if (left.length) return `CPU number ${left.join(', ')} is not assigned to any node`;
  const total = memoryWords!.reduce((sum, word) => sum + Number(word), 0);
  return total === memoryMb ? undefined : `${total} MB of memory assigned, but expected ${memoryMb} MB`;
}
