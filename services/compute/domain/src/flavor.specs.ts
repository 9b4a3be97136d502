/**
 * Extra specs of known namespaces, with what each may hold. A misspelt one would silently change nothing, so from the
 * version on that promises it they are refused. Namespaces that nobody knows are the operator's own.
 */

import { ANY, BOOL, COUNT, CPUS, knownValues, NATURAL, oneOf, PAGE_SIZE } from './value-patterns.js';

/** Name patterns to value patterns, both anchored. */
const KNOWN: Readonly<Record<string, readonly (readonly [name: string, value: string])[]>> = {
  accel: [['device_profile', ANY]],
  aggregate_instance_extra_specs: [[ANY, ANY]],
  capabilities: [[ANY, ANY]],
  hw: [
    ['(?:boot_menu|cpu_realtime|hide_hypervisor_id|locked_memory|mem_encryption|pmu)', BOOL],
    ['(?:vif_multiqueue_enabled|virtio_packed_ring|ephemeral_encryption)', BOOL],
    ['cpu_(?:cores|sockets|threads|max_cores|max_sockets|max_threads)', COUNT],
    ['(?:numa_nodes|serial_port_count|maxphysaddr_bits)', COUNT],
    ['cpu_policy', oneOf('dedicated', 'mixed', 'shared')],
    ['cpu_thread_policy', oneOf('prefer', 'isolate', 'require')],
    ['emulator_threads_policy', oneOf('isolate', 'share')],
    ['pci_numa_affinity_policy', oneOf('required', 'preferred', 'legacy', 'socket')],
    ['watchdog_action', oneOf('none', 'pause', 'poweroff', 'reset', 'disabled')],
    ['mem_page_size', PAGE_SIZE],
    ['(?:cpu_realtime_mask|cpu_dedicated_mask)', CPUS],
    ['numa_cpus\\.[0-9]+', CPUS],
    ['numa_mem\\.[0-9]+', COUNT],
    ['mem_encryption_model', oneOf('amd-sev', 'amd-sev-es')],
    ['tpm_model', oneOf('tpm-tis', 'tpm-crb')],
    ['tpm_version', oneOf('1\\.2', '2\\.0')],
    ['maxphysaddr_mode', oneOf('passthrough', 'emulate')],
    ['viommu_model', oneOf('intel', 'smmuv3', 'virtio', 'auto')],
    ['(?:pmem|ephemeral_encryption_format)', ANY],
  ],
  hw_rng: [
    ['allowed', BOOL],
    ['(?:rate_bytes|rate_period)', NATURAL],
  ],
  hw_video: [['ram_max_mb', NATURAL]],
  os: [['secure_boot', oneOf('required', 'disabled', 'optional')]],
  pci_passthrough: [['alias', '[^:,]+:[0-9]+(?:,[^:,]+:[0-9]+)*']],
  quota: [
    ['cpu_(?:shares|period|quota|limit|reservation|shares_share)', '-?[0-9]+'],
    ['disk_(?:read|write|total)_(?:bytes|iops)_sec(?:_max)?', NATURAL],
    ['(?:disk_io|memory|vif)_(?:limit|reservation|shares_share)', NATURAL],
    ['vif_(?:inbound|outbound)_(?:average|peak|burst)', NATURAL],
    ['(?:cpu|disk_io|memory|vif)_shares_level', oneOf('custom', 'low', 'normal', 'high')],
  ],
  resources: [['[A-Z0-9_]+', NATURAL]],
  trait: [['[A-Z0-9_]+', oneOf('required', 'forbidden')]],
};

const patterns = new Map(Object.entries(KNOWN).map(([namespace, rows]) => [namespace, knownValues(rows)]));

/** Why an extra spec is refused, or undefined. */
export function extraSpecTrouble(key: string, value: string): string | undefined {
  const [namespace = '', ...rest] = key.split(':');
  const rows = rest.length ? patterns.get(namespace.replace(/[0-9]+$/, '')) : undefined;
  if (!rows) return undefined;
  const row = rows.find(({ name }) => name.test(rest.join(':')));
  if (!row) return `Validation failed; extra spec '${key}' does not appear to be a valid extra spec.`;
  return row.value.test(value)
    ? undefined
    : `Validation failed; '${value.slice(0, 64)}' is not valid for extra spec '${key}'.`;
}
