/** What a node is, in the words that requests ask for: traits, attributes for comparison, and its NUMA nodes. */
import type { placementV1 } from '#libs/contract';
import type { Node } from '#services/compute/domain';

type Make = Pick<
  Node,
  'accel' | 'cpuInfo' | 'disabled' | 'forcedDown' | 'hypervisorType' | 'hypervisorVersion' | 'name' | 'traits' | 'vcpus'
>;

/** What every agent can do. */
const ALWAYS = [
  ...['COMPUTE_NODE', 'COMPUTE_IMAGE_TYPE_QCOW2', 'COMPUTE_IMAGE_TYPE_RAW'],
  ...['COMPUTE_NET_VIF_MODEL_VIRTIO', 'COMPUTE_STORAGE_BUS_VIRTIO'],
];

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'HW_ARCH_X86_64',
  aarch64: 'HW_ARCH_AARCH64',
};

/** Libvirt's names of CPU features that guests can have, where they are not those of the traits. */
const FEATURES: Readonly<Record<string, string>> = {
  ...{ '3dnow': '3DNOW', aes: 'AESNI', abm: 'ABM', avx: 'AVX', avx2: 'AVX2', bmi1: 'BMI', bmi2: 'BMI2' },
  ...{ avx512bw: 'AVX512BW', avx512cd: 'AVX512CD', avx512dq: 'AVX512DQ', avx512er: 'AVX512ER', avx512f: 'AVX512F' },
  ...{ avx512pf: 'AVX512PF', avx512vl: 'AVX512VL', avx512vnni: 'AVX512VNNI', avx512vbmi: 'AVX512VBMI' },
  ...{ avx512ifma: 'AVX512IFMA', vaes: 'AVX512VAES', gfni: 'AVX512GFNI', vpclmulqdq: 'AVX512VPCLMULQDQ' },
  ...{ pclmulqdq: 'CLMUL', f16c: 'F16C', fma: 'FMA3', fma4: 'FMA4', mmx: 'MMX', mpx: 'MPX', sha: 'SHA' },
  ...{ 'sha-ni': 'SHA', sse: 'SSE', sse2: 'SSE2', pni: 'SSE3', ssse3: 'SSSE3', 'sse4.1': 'SSE41', 'sse4.2': 'SSE42' },
  ...{ sse4a: 'SSE4A', svm: 'SVM', tbm: 'TBM', vmx: 'VMX', xop: 'XOP', pdpe1gb: 'PDPE1GB', sgx: 'SGX', stibp: 'STIBP' },
};

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text).filter(Boolean) : []);

export function traitsOf(node: Make): string[] {
  const { accel, cpuInfo } = node;
  const words = accel.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
  const known = (table: Readonly<Record<string, string>>, key: string): string[] =>
    Object.hasOwn(table, key) ? [table[key]!] : [];
  const all = [
    ...ALWAYS,
    ...node.traits,
    ...(words ? [`CUSTOM_ACCEL_${words}`] : []),
    ...known(ARCHITECTURES, text(cpuInfo['arch'])),
    ...[...new Set(texts(cpuInfo['features']).flatMap((feature) => known(FEATURES, feature)))].map(
      (feature) => `HW_CPU_X86_${feature}`,
    ),
    ...(node.disabled || node.forcedDown ? ['COMPUTE_STATUS_DISABLED'] : []),
  ];
  return [...new Set(all)];
}

/** By upstream's names, as `capabilities:` and image properties ask for them. */
export function attributesOf(node: Make): Record<string, string> {
  const { cpuInfo, hypervisorType, hypervisorVersion, accel, name, vcpus } = node;
  const all = {
    arch: text(cpuInfo['arch']),
    vm_modes: 'hvm',
    hypervisor_types: hypervisorTypes(hypervisorType, accel).join(' '),
    hypervisor_type: hypervisorType,
    hypervisor_version: String(hypervisorVersion),
    hypervisor_hostname: name,
    vcpus_total: String(vcpus),
    machine_types: texts(cpuInfo['machineTypes']).join(' '),
    'cpu_info:arch': text(cpuInfo['arch']),
    'cpu_info:vendor': text(cpuInfo['vendor']),
    'cpu_info:model': text(cpuInfo['model']),
    'cpu_info:features': texts(cpuInfo['features']).join(' '),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

/** KVM is QEMU with an accelerator; a simulated node takes both. */
function hypervisorTypes(type: string, accel: string): string[] {
  const own = type.toLowerCase();
  return accel === 'kvm' || own === 'fake' ? [...new Set([own, 'qemu', 'kvm'])] : [own];
}

/** As far as the node tells of them: `numa: [{cpus: [0, 1], memoryMb}]`. */
export function numaOf({ cpuInfo }: Pick<Node, 'cpuInfo'>): placementV1.NumaCell[] {
  const cells = Array.isArray(cpuInfo['numa']) ? cpuInfo['numa'] : [];
  return cells.flatMap((cell: unknown) => {
    const { cpus, memoryMb } = (cell ?? {}) as Record<string, unknown>;
    const count = Array.isArray(cpus) ? cpus.length : Number(cpus);
    return count > 0 && Number(memoryMb) > 0 ? [{ cpus: count, memoryMb: Math.floor(Number(memoryMb)) }] : [];
  });
}
