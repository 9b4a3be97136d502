/** Names of resource classes and traits: the standard ones, and what a custom one may look like. */
import traits from './standard-traits.json' with { type: 'json' };

export const STANDARD_CLASSES: readonly string[] = [
  'VCPU',
  'MEMORY_MB',
  'DISK_GB',
  'PCI_DEVICE',
  'SRIOV_NET_VF',
  'NUMA_SOCKET',
  'NUMA_CORE',
  'NUMA_THREAD',
  'NUMA_MEMORY_MB',
  'IPV4_ADDRESS',
  'VGPU',
  'VGPU_DISPLAY_HEAD',
  'NET_BW_EGR_KILOBIT_PER_SEC',
  'NET_BW_IGR_KILOBIT_PER_SEC',
  'PCPU',
  'MEM_ENCRYPTION_CONTEXT',
  'FPGA',
  'PGPU',
  'NET_PACKET_RATE_KILOPACKET_PER_SEC',
  'NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC',
  'NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC',
];

export const STANDARD_TRAITS: readonly string[] = traits;

/** The trait that lets a provider serve others which share an aggregate with it. */
export const SHARING_TRAIT = 'MISC_SHARES_VIA_AGGREGATE';

const CUSTOM = /^CUSTOM_[A-Z0-9_]+$/;
const MAX_NAME = 255;

/** Whether a name may be given to a class or trait of the operator's own. */
export const isCustomName = (name: string): boolean => CUSTOM.test(name) && name.length <= MAX_NAME;
