/**
 * Properties of images that change what a guest is made of, with what each may hold. Names that begin with `hw_` are all
 * known here: one that is not would silently change nothing, so no server is made from its image. All other properties are
 * their owner's own.
 */
import { ANY, BOOL, COUNT, CPUS, knownValues, oneOf, PAGE_SIZE } from './value-patterns.js';

const BUS = `(?i:${oneOf('fdc', 'ide', 'lxc', 'sata', 'scsi', 'uml', 'usb', 'virtio', 'xen')})`;
const VIF_MODELS = [
  ...['e1000', 'e1000e', 'igb', 'lan9118', 'ne2k_pci', 'netfront', 'pcnet', 'rtl8139', 'spapr-vlan', 'sriov', 'virtio'],
  ...['vmxnet', 'vmxnet3', 'VirtualE1000', 'VirtualE1000e', 'VirtualPCNet32', 'VirtualSriovEthernetCard'],
  ...['VirtualVmxnet', 'VirtualVmxnet3'],
];

const KNOWN = knownValues([
  ['hw_(?:auto_disk_config|boot_menu|ephemeral_encryption|firmware_stateless|ipxe_boot|locked_memory)', BOOL],
  ['hw_(?:mem_encryption|pmu|qemu_guest_agent|time_hpet|vif_multiqueue_enabled|virtio_packed_ring)', BOOL],
  ['hw_(?:cdrom|disk|floppy)_bus', BUS],
  ['hw_rescue_(?:bus|device)', ANY],
  ['hw_cpu_(?:cores|sockets|threads|max_cores|max_sockets|max_threads)', COUNT],
  ['hw_(?:numa_nodes|serial_port_count|maxphysaddr_bits|video_ram|device_id)', COUNT],
  ['hw_numa_mem\\.[0-9]+', COUNT],
  ['hw_numa_cpus\\.[0-9]+', CPUS],
  ['hw_cpu_realtime_mask', CPUS],
  ['hw_cpu_policy', oneOf('dedicated', 'mixed', 'shared')],
  ['hw_cpu_thread_policy', oneOf('prefer', 'isolate', 'require')],
  ['hw_emulation_architecture', ANY],
  ['hw_firmware_type', '(?i:bios|uefi)'],
  ['hw_input_bus', oneOf('usb', 'virtio')],
  ['hw_maxphysaddr_mode', oneOf('passthrough', 'emulate')],
  ['hw_mem_encryption_model', oneOf('amd-sev', 'amd-sev-es')],
  ['hw_mem_page_size', PAGE_SIZE],
  ['hw_pci_numa_affinity_policy', oneOf('required', 'preferred', 'legacy', 'socket')],
  ['hw_pointer_model', oneOf('usbtablet', 'ps2mouse')],
  ['hw_rng_model', 'virtio'],
  [
    'hw_scsi_model',
    `(?i:${oneOf('buslogic', 'ibmvscsi', 'lsilogic', 'lsisas1068', 'lsisas1078', 'virtio-scsi', 'vmpvscsi')})`,
  ],
  ['hw_sound_model', oneOf('ac97', 'es1370', 'ich6', 'ich9', 'pcspk', 'sb16', 'usb', 'virtio')],
  ['hw_tpm_model', oneOf('tpm-tis', 'tpm-crb')],
  ['hw_tpm_version', oneOf('1\\.2', '2\\.0')],
  ['hw_video_model', oneOf('bochs', 'cirrus', 'gop', 'none', 'qxl', 'vga', 'virtio', 'vmvga', 'xen')],
  ['hw_vif_model', oneOf(...VIF_MODELS)],
  ['hw_viommu_model', oneOf('auto', 'intel', 'smmuv3', 'virtio')],
  ['hw_watchdog_action', oneOf('disabled', 'none', 'pause', 'poweroff', 'reset')],
  ['hw_(?:architecture|disk_type|ephemeral_encryption_(?:format|secret_uuid)|machine_type|usb_model|vm_mode)', ANY],
  ['os_(?:require_quiesce|skip_agent_inject_files_at_boot|skip_agent_inject_ssh)', BOOL],
  ['os_secure_boot', oneOf('disabled', 'optional', 'required')],
  ['os_type', '(?i:linux|windows)'],
  ['img_hide_hypervisor_id', BOOL],
  ['img_config_drive', oneOf('mandatory', 'optional')],
]);

/** Why servers can not be made from an image with these properties, or undefined. */
export function imagePropertyTrouble(properties: Readonly<Record<string, string>>): string | undefined {
  for (const [key, value] of Object.entries(properties)) {
    const known = KNOWN.find(({ name }) => name.test(key));
    if (!known && key.startsWith('hw_')) return wrong(`property '${key.slice(0, 64)}' is not known`);
    if (known && !known.value.test(value)) return wrong(`'${value.slice(0, 64)}' is not valid for property '${key}'`);
  }
  return undefined;
}

const wrong = (why: string): string => `Invalid image metadata. Error: ${why}`;
