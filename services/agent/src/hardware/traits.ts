/** What a node can give, by OpenStack's names, so that servers that need it are sent nowhere else. Pure. */
import type { Abilities } from './abilities.js';

/** By the flags that Linux shows of a processor, where the trait's name differs from the flag's. */
const FLAG_NAMES: Readonly<Record<string, string>> = {
  aes: 'AESNI',
  avx512_bitalg: 'AVX512BITALG',
  avx512_vbmi2: 'AVX512VBMI2',
  avx512_vnni: 'AVX512VNNI',
  bmi1: 'BMI',
  fma: 'FMA3',
  gfni: 'AVX512GFNI',
  pclmulqdq: 'CLMUL',
  pni: 'SSE3',
  sha_ni: 'SHA',
  sse4_1: 'SSE41',
  sse4_2: 'SSE42',
  vaes: 'AVX512VAES',
};
const NAMED_ALIKE = new Set(
  'abm avx avx2 avx512bw avx512cd avx512dq avx512f avx512vl avx512ifma avx512vbmi bmi2 f16c fma4 mmx mpx sse sse2 ssse3 sse4a svm tbm vmx xop'.split(
    ' ',
  ),
);
/** What QEMU translates by itself. */
const EMULATED =
  'abm aes avx avx2 bmi1 bmi2 f16c fma mmx pclmulqdq sha_ni sse sse2 pni ssse3 sse4_1 sse4_2 sse4a'.split(' ');

function cpuTraits(flags: readonly string[]): string[] {
  const names = flags.map((flag) => FLAG_NAMES[flag] ?? (NAMED_ALIKE.has(flag) ? flag.toUpperCase() : ''));
  return names.filter(Boolean).map((name) => `HW_CPU_X86_${name}`);
}

const ALWAYS = [
  'COMPUTE_NODE',
  'COMPUTE_ARCH_X86_64',
  'HW_ARCH_X86_64',
  'COMPUTE_DEVICE_TAGGING',
  'COMPUTE_FIRMWARE_BIOS',
  'COMPUTE_IMAGE_TYPE_QCOW2',
  'COMPUTE_IMAGE_TYPE_RAW',
  'COMPUTE_IMAGE_TYPE_ISO',
  'COMPUTE_IMAGE_TYPE_AMI',
  'COMPUTE_EPHEMERAL_ENCRYPTION',
  'COMPUTE_EPHEMERAL_ENCRYPTION_LUKS',
  'COMPUTE_NET_VIRTIO_PACKED',
  'COMPUTE_ADDRESS_SPACE_EMULATED',
];
const VIF_MODELS = ['VIRTIO', 'E1000', 'E1000E', 'RTL8139', 'NE2K_PCI', 'PCNET', 'VMXNET3', 'IGB'];
const GRAPHICS = ['vga', 'cirrus', 'vmvga', 'virtio', 'qxl', 'bochs', 'none'];
const BUSES = ['virtio', 'scsi', 'sata', 'ide', 'usb'];

/** Of a node that only pretends: whatever is asked for. */
export const PRETENDED = [
  ...ALWAYS,
  ...[...BUSES.map((bus) => `STORAGE_BUS_${bus}`), ...GRAPHICS.map((model) => `GRAPHICS_MODEL_${model}`)].map(
    (name) => `COMPUTE_${name.toUpperCase()}`,
  ),
  ...VIF_MODELS.map((model) => `COMPUTE_NET_VIF_MODEL_${model}`),
  ...['TPM_1_2', 'TPM_2_0', 'TPM_TIS', 'TPM_CRB', 'UEFI_SECURE_BOOT', 'STATELESS_FIRMWARE'].map(
    (name) => `COMPUTE_SECURITY_${name}`,
  ),
  'COMPUTE_FIRMWARE_UEFI',
];

/** What guests' processors have, by Linux's names; `cpuFlags`: of the host's processor. */
export const cpuFeatures = ({ accel }: Abilities, cpuFlags: readonly string[]): readonly string[] =>
  accel === 'kvm' ? cpuFlags : EMULATED;

/** `cpuFlags`: of the host's processor. */
export function traitsOf(abilities: Abilities, cpuFlags: readonly string[]): string[] {
  const families = Object.values(abilities.families);
  const any = (of: (one: (typeof families)[number]) => readonly string[]): string[] => families.flatMap(of);
  const traits = [
    ...ALWAYS,
    ...cpuTraits(cpuFeatures(abilities, cpuFlags)),
    ...any((one) => one.diskBuses.filter((bus) => BUSES.includes(bus))).map(
      (bus) => `COMPUTE_STORAGE_BUS_${word(bus)}`,
    ),
    ...any((one) => one.videoModels.filter((model) => GRAPHICS.includes(model))).map(
      (model) => `COMPUTE_GRAPHICS_MODEL_${word(model)}`,
    ),
    ...VIF_MODELS.map((model) => `COMPUTE_NET_VIF_MODEL_${model}`),
    ...any((one) => one.tpmVersions).map((version) => `COMPUTE_SECURITY_TPM_${word(version)}`),
    ...any((one) => one.tpmModels).map((model) => `COMPUTE_SECURITY_${word(model)}`),
    ...(families.some((one) => one.uefi) ? ['COMPUTE_FIRMWARE_UEFI', 'COMPUTE_SECURITY_STATELESS_FIRMWARE'] : []),
    ...(abilities.families.q35.secureBoot ? ['COMPUTE_SECURITY_UEFI_SECURE_BOOT'] : []),
    ...(abilities.accel === 'kvm' ? ['COMPUTE_ADDRESS_SPACE_PASSTHROUGH'] : []),
    ...(abilities.cells.some((cell) => cell.cpus.some((cpu) => cpu.siblings.length > 1))
      ? ['HW_CPU_HYPERTHREADING']
      : []),
  ];
  return [...new Set(traits)].sort();
}

const word = (text: string): string => text.toUpperCase().replace(/[^A-Z0-9]/g, '_');
