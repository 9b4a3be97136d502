/**
 * A guest's machine as its flavor and its image ask for it together: what contradicts itself is refused before a node hears
 * of it, in Nova's words, and what only some nodes have is asked of placement. What a node makes of the rest is the node's
 * decision. Pure.
 */
import { type Failure, fail } from '#libs/kernel';
import { extraSpecTrouble } from './flavor.specs.js';
import { imagePropertyTrouble } from './image.properties.js';
import { cpuPolicyTrouble, dedicatedCpus, isolatesEmulator, threadPolicyOf } from './server.hardware.cpu.js';
import { memoryTrouble } from './server.hardware.memory.js';
import { HardwareWords } from './server.hardware.words.js';
import type { FlavorSnapshot, ImageSnapshot } from './server.js';

type Image = Pick<ImageSnapshot, 'properties'>;

/** Namespaces in which every word changes a guest's machine. */
const OURS = /^(?:hw|hw_rng|hw_video|os|quota):/;

/** The first reason why no node can make such a guest, or undefined. */
export function hardwareTrouble(flavor: FlavorSnapshot, image: Image): Failure | undefined {
  const words = new HardwareWords(flavor.extraSpecs, image.properties);
  const why =
    specTrouble(flavor.extraSpecs) ??
    imagePropertyTrouble(image.properties) ??
    conflict(words) ??
    cpuPolicyTrouble(words, flavor.vcpus) ??
    memoryTrouble(words, flavor) ??
    topologyTrouble(words, flavor.vcpus) ??
    deviceTrouble(words);
  return why === undefined ? undefined : fail.invalid(why);
}

function specTrouble(extraSpecs: Readonly<Record<string, string>>): string | undefined {
  for (const [key, value] of Object.entries(extraSpecs)) {
    const why = OURS.test(key) ? extraSpecTrouble(key, value) : undefined;
    if (why) return why;
    if (key === 'resources:PCPU') return `The extra spec '${key}' is not supported: ask for 'hw:cpu_policy'.`;
  }
  return undefined;
}

/** What may be said on both sides only alike. */
const SAID_ALIKE = [
  ...['locked_memory', 'maxphysaddr_bits', 'maxphysaddr_mode', 'mem_encryption', 'mem_encryption_model'],
  ...['pci_numa_affinity_policy', 'pmu', 'tpm_model', 'tpm_version', 'vif_multiqueue_enabled', 'viommu_model'],
  ...['virtio_packed_ring'],
];

function conflict(words: HardwareWords): string | undefined {
  for (const [name, prefix] of [...SAID_ALIKE.map((one) => [one, 'hw']), ['secure_boot', 'os']] as [string, string][]) {
    const { flavor, image } = words.both(name, prefix);
    if (flavor === undefined || image === undefined || meaning(flavor) === meaning(image)) continue;
    return `Conflicting values for ${prefix}_${name} found in the flavor (${flavor}) and the image (${image}).`;
  }
  return undefined;
}

const FLAGS: Readonly<Record<string, string>> = { true: '1', yes: '1', on: '1', t: '1', y: '1' };
const NO_FLAGS: Readonly<Record<string, string>> = { false: '0', no: '0', off: '0', f: '0', n: '0' };
const meaning = (word: string): string => {
  const plain = word.trim().toLowerCase();
  return FLAGS[plain] ?? NO_FLAGS[plain] ?? plain;
};

const PARTS = ['sockets', 'cores', 'threads'] as const;

function topologyTrouble(words: HardwareWords, vcpus: number): string | undefined {
  const limit = (of: 'flavor' | 'image') => PARTS.map((part) => words.count(`cpu_max_${part}`, of) ?? 65_536);
  const [most, asked] = [limit('flavor'), limit('image')];
  const wanted = PARTS.map((part) => words.count(`cpu_${part}`, 'image') ?? 0);
  const text = (parts: readonly number[]): string => PARTS.map((part, at) => `${part}=${parts[at]}`).join(', ');
  // An image that sets no limit of its own has the flavor's.
  const own = asked.map((part, at) => (words.count(`cpu_max_${PARTS[at]}`, 'image') === undefined ? most[at]! : part));
  if (own.some((part, at) => part > most[at]!)) return `Image vCPU limits ${text(own)} exceeds permitted ${text(most)}`;
  if (wanted.some((part, at) => part > own[at]!))
    return `Image vCPU topology ${text(wanted)} exceeds permitted ${text(own)}`;
  const divides = (n: number): boolean => vcpus % n === 0;
  const counts = Array.from({ length: vcpus }, (_, n) => n + 1).filter(divides);
  const possible = counts.some(
    (threads) =>
      threads <= own[2]! &&
      counts.some((cores) => cores <= own[1]! && divides(threads * cores) && vcpus / (threads * cores) <= own[0]!),
  );
  return possible
    ? undefined
    : `Requested vCPU limits ${own.join(':')} are impossible to satisfy for vcpus count ${vcpus}`;
}

function deviceTrouble(words: HardwareWords): string | undefined {
  const ram = words.count('video_ram', 'image');
  const most = Number(words.spec('hw_video:ram_max_mb') ?? 0);
  if (ram !== undefined && ram > most)
    return `The requested amount of video memory ${ram} is higher than the maximum allowed by flavor ${most}.`;
  const [ports, allowed] = [words.count('serial_port_count', 'image'), words.count('serial_port_count', 'flavor')];
  if (ports !== undefined && allowed !== undefined && ports > allowed)
    return 'Forbidden to exceed flavor value of number of serial ports passed in image meta.';
  if (words.text('tpm_model') && !words.text('tpm_version')) return 'A TPM model is only of use with hw:tpm_version.';
  if (words.text('tpm_model') === 'tpm-crb' && words.text('tpm_version') === '1.2')
    return 'A TPM of version 1.2 can not be of model tpm-crb.';
  return undefined;
}

/** Host processors of a guest's own are units of another class than shared ones. */
export function hardwareUnits(flavor: FlavorSnapshot, image: Image): Readonly<Record<string, number>> {
  const words = new HardwareWords(flavor.extraSpecs, image.properties);
  const own = dedicatedCpus(words, flavor.vcpus).size;
  return own === 0 ? {} : { VCPU: flavor.vcpus - own, PCPU: own + (isolatesEmulator(words) ? 1 : 0) };
}

const ADDRESS_SPACES: Readonly<Record<string, string>> = { passthrough: 'PASSTHROUGH', emulate: 'EMULATED' };

/** What not every node can give, by OpenStack's names. */
export function hardwareTraits(flavor: FlavorSnapshot, { properties }: Image): string[] {
  const words = new HardwareWords(flavor.extraSpecs, properties);
  const named = (prefix: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${prefix}_${value.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`];
  const uefi = words.image('firmware_type')?.toLowerCase() === 'uefi';
  return [
    ...named('COMPUTE_STORAGE_BUS', words.image('disk_bus')),
    ...named('COMPUTE_STORAGE_BUS', words.image('cdrom_bus')),
    ...named('COMPUTE_GRAPHICS_MODEL', words.image('video_model')),
    ...named('COMPUTE_NET_VIF_MODEL', words.image('vif_model')?.replace(/^Virtual/, '')),
    ...named('COMPUTE_SECURITY_TPM', words.text('tpm_version')),
    ...named('COMPUTE_SECURITY', words.text('tpm_model')),
    ...named('COMPUTE_ADDRESS_SPACE', ADDRESS_SPACES[words.text('maxphysaddr_mode') ?? '']),
    ...(uefi ? ['COMPUTE_FIRMWARE_UEFI'] : []),
    ...(uefi && words.flag('firmware_stateless') ? ['COMPUTE_SECURITY_STATELESS_FIRMWARE'] : []),
    ...(words.text('secure_boot', 'os') === 'required' ? ['COMPUTE_SECURITY_UEFI_SECURE_BOOT'] : []),
    ...(words.flag('virtio_packed_ring') ? ['COMPUTE_NET_VIRTIO_PACKED'] : []),
    ...(threadPolicyOf(words) === 'require' ? ['HW_CPU_HYPERTHREADING'] : []),
  ];
}
