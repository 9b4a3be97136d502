/** What a node can give to guests, as libvirt's documents about it and the node's configuration say. */
import { fail } from '#libs/kernel';
import type { Accel } from '../kvm/probe.js';
import { type Node, parseXml } from './xml-reader.js';

export interface HostCell {
  readonly id: number;
  readonly memoryMb: number;
  /** Host processors with those that share a core with them, themselves among them. */
  readonly cpus: readonly { readonly id: number; readonly siblings: readonly number[] }[];
  /** Pages of that size that were set aside, by KiB; the ordinary size is not among them. */
  readonly hugePages: readonly { readonly sizeKib: number; readonly count: number }[];
}

/** What may differ between the two families of machines. */
export interface MachineAbilities {
  readonly diskBuses: readonly string[];
  readonly videoModels: readonly string[];
  readonly cpuModes: readonly string[];
  readonly cpuModels: readonly string[];
  readonly uefi: boolean;
  readonly secureBoot: boolean;
  readonly tpmModels: readonly string[];
  readonly tpmVersions: readonly string[];
}

export type MachineFamily = 'pc' | 'q35';

export interface Abilities {
  readonly accel: Accel;
  /** Every machine type by its name, with its family. */
  readonly machineTypes: ReadonlyMap<string, MachineFamily>;
  readonly families: Readonly<Record<MachineFamily, MachineAbilities>>;
  readonly cells: readonly HostCell[];
  /** Host processors that are set aside for guests with processors of their own. */
  readonly dedicatedCpus: ReadonlySet<number>;
  /** Those that all other guests share. */
  readonly sharedCpus: ReadonlySet<number>;
  /** The kernel can hold guests to a share of processor time. */
  readonly cpuQuota: boolean;
}

export interface CapabilityDocuments {
  /** virConnectGetCapabilities. */
  readonly host: string;
  /** virConnectGetDomainCapabilities for each family. */
  readonly families: Readonly<Record<MachineFamily, string>>;
}

export interface NodeFacts {
  readonly accel: Accel;
  readonly cpus: number;
  readonly memoryMb: number;
  readonly dedicatedCpus: ReadonlySet<number>;
  /** Empty: all that are not dedicated. */
  readonly sharedCpus: ReadonlySet<number>;
  readonly cpuQuota: boolean;
}

/** Throws where the configuration speaks of host processors that are not there. */
export function abilitiesOf(documents: CapabilityDocuments, facts: NodeFacts): Abilities {
  const host = parseXml(documents.host);
  const cells = cellsOf(host, facts);
  return {
    accel: facts.accel,
    machineTypes: machineTypesOf(host),
    families: { pc: familyOf(documents.families.pc), q35: familyOf(documents.families.q35) },
    cells,
    ...cpusOf(cells, facts),
    cpuQuota: facts.cpuQuota,
  };
}

function cpusOf(cells: readonly HostCell[], facts: NodeFacts): Pick<Abilities, 'dedicatedCpus' | 'sharedCpus'> {
  const { dedicatedCpus, sharedCpus } = facts;
  const all = cells.flatMap((cell) => cell.cpus.map(({ id }) => id));
  const strange = [...dedicatedCpus, ...sharedCpus].filter((cpu) => !all.includes(cpu));
  if (strange.length) throw fail.invalid(`the configuration names processors that are not there: ${strange.join()}`);
  if (sharedCpus.size) return { dedicatedCpus, sharedCpus };
  return { dedicatedCpus, sharedCpus: new Set(all.filter((cpu) => !dedicatedCpus.has(cpu))) };
}

function machineTypesOf(host: Node): Map<string, MachineFamily> {
  const types = new Map<string, MachineFamily>();
  const guests = host.all('guest').filter((guest) => guest.first('arch')?.attributes['name'] === 'x86_64');
  for (const machine of guests.flatMap((guest) => guest.first('arch')!.all('machine'))) {
    const family = /^(?:pc-)?q35/.test(machine.text)
      ? 'q35'
      : /^pc(?:-i440fx-|$)/.test(machine.text)
        ? 'pc'
        : undefined;
    if (family) types.set(machine.text, family);
  }
  return types;
}

function familyOf(document: string): MachineAbilities {
  const root = parseXml(document);
  const os = root.first('os');
  const cpu = root.first('cpu');
  const modes = (cpu?.all('mode') ?? []).filter((mode) => mode.attributes['supported'] === 'yes');
  const custom = modes.find((mode) => mode.attributes['name'] === 'custom');
  const devices = root.first('devices');
  return {
    diskBuses: values(devices?.first('disk'), 'bus'),
    videoModels: values(devices?.first('video'), 'modelType'),
    cpuModes: modes.map((mode) => mode.attributes['name'] ?? ''),
    cpuModels: (custom?.all('model') ?? []).filter((one) => one.attributes['usable'] !== 'no').map((one) => one.text),
    uefi: values(os, 'firmware').includes('efi'),
    secureBoot: values(os?.first('loader'), 'secure').includes('yes'),
    tpmModels: emulated(devices?.first('tpm')) ? values(devices?.first('tpm'), 'model') : [],
    tpmVersions: emulated(devices?.first('tpm')) ? values(devices?.first('tpm'), 'backendVersion') : [],
  };
}

const emulated = (tpm: Node | undefined): boolean => values(tpm, 'backendModel').includes('emulator');

const values = (of: Node | undefined, name: string): string[] =>
  (of?.all('enum') ?? [])
    .filter((one) => one.attributes['name'] === name)
    .flatMap((one) => one.all('value').map((value) => value.text));

function cellsOf(host: Node, facts: NodeFacts): HostCell[] {
  const cells = host.first('host')?.first('topology')?.first('cells')?.all('cell') ?? [];
  if (cells.length) return cells.map(cellOf);
  const cpus = Array.from({ length: facts.cpus }, (_, id) => ({ id, siblings: [id] }));
  return [{ id: 0, memoryMb: facts.memoryMb, cpus, hugePages: [] }];
}

function cellOf(cell: Node): HostCell {
  const pages = cell
    .all('pages')
    .map((page) => ({ sizeKib: Number(page.attributes['size']), count: Number(page.text) }));
  const smallest = Math.min(...pages.map((page) => page.sizeKib));
  return {
    id: Number(cell.attributes['id']),
    memoryMb: Math.floor(Number(cell.first('memory')?.text ?? 0) / 1024),
    cpus: (cell.first('cpus')?.all('cpu') ?? []).map(({ attributes }) => ({
      id: Number(attributes['id']),
      siblings: siblingsOf(attributes['siblings'] ?? attributes['id'] ?? ''),
    })),
    hugePages: pages.filter((page) => page.sizeKib > smallest && page.count > 0),
  };
}

const siblingsOf = (text: string): number[] =>
  text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
