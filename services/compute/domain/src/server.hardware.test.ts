import { describe, expect, it } from 'vitest';
import { hardwareTraits, hardwareTrouble, hardwareUnits } from './server.hardware.js';
import { cellsOf } from './server.hardware.memory.js';
import { HardwareWords } from './server.hardware.words.js';

type Words = Record<string, string>;

const flavorWith = (extraSpecs: Words, vcpus = 4, memoryMb = 1_024) => ({
  ...{ id: '1', name: 'f', vcpus, memoryMb, diskGb: 1, ephemeralGb: 0, swapMb: 0, rxtxFactor: 1 },
  extraSpecs,
});
const trouble = (specs: Words, properties: Words = {}): string | undefined =>
  hardwareTrouble(flavorWith(specs), { properties })?.message;

describe('what no node could make is refused at once', () => {
  it.each<[string, Words, Words, string]>([
    ['a misspelt extra spec', { 'hw:cpu_polici': 'shared' }, {}, 'does not appear to be a valid extra spec'],
    ['an extra spec of the wrong kind', { 'hw:watchdog_action': 'explode' }, {}, "'explode' is not valid"],
    ['a limit that is no number', { 'quota:cpu_shares': 'many' }, {}, "'many' is not valid"],
    ['units of what a policy asks for', { 'resources:PCPU': '2' }, {}, "ask for 'hw:cpu_policy'"],
    ['a misspelt property', {}, { hw_disk_buss: 'scsi' }, "property 'hw_disk_buss' is not known"],
    ['a property of the wrong kind', {}, { hw_disk_bus: 'nvme' }, "'nvme' is not valid for property 'hw_disk_bus'"],
    ['a flag that is none', {}, { hw_qemu_guest_agent: 'maybe' }, "'maybe' is not valid"],
    ['two TPMs', { 'hw:tpm_version': '2.0' }, { hw_tpm_version: '1.2' }, 'Conflicting values for hw_tpm_version'],
    ['a TPM model without a TPM', { 'hw:tpm_model': 'tpm-tis' }, {}, 'only of use with hw:tpm_version'],
    [
      'an old TPM on a new interface',
      { 'hw:tpm_version': '1.2', 'hw:tpm_model': 'tpm-crb' },
      {},
      'can not be of model',
    ],
    [
      'secure boot against it',
      { 'os:secure_boot': 'required' },
      { os_secure_boot: 'disabled' },
      'os_secure_boot found',
    ],
    ['two minds about queues', { 'hw:vif_multiqueue_enabled': 'yes' }, { hw_vif_multiqueue_enabled: 'false' }, 'Conf'],
    ['an image against the policy', { 'hw:cpu_policy': 'shared' }, { hw_cpu_policy: 'dedicated' }, "'hw_cpu_policy'"],
    ['threads of shared processors', { 'hw:cpu_thread_policy': 'isolate' }, {}, 'non dedicated cpu pinning'],
    ['an emulator alone', { 'hw:emulator_threads_policy': 'isolate' }, {}, 'requires a dedicated CPU policy'],
    ['a mask without a mixture', { 'hw:cpu_dedicated_mask': '0' }, {}, "without the 'mixed' policy"],
    ['a mixture without a mask', { 'hw:cpu_policy': 'mixed' }, {}, 'Must specify either'],
    ['a mixture of one kind', { 'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '0-3' }, {}, 'at least 1 pinned'],
    ['an image that cuts up what the flavor has', { 'hw:numa_nodes': '2' }, { hw_numa_nodes: '1' }, "'hw_numa_nodes'"],
    ['unequal shares', { 'hw:numa_nodes': '3' }, {}, 'cannot be evenly distributed'],
    ['half a layout', { 'hw:numa_nodes': '1', 'hw:numa_cpus.0': '0-3' }, {}, 'must be provided for all NUMA nodes'],
    ['pages that the flavor does not leave open', {}, { hw_mem_page_size: 'large' }, 'Page size large forbidden'],
    ['other pages than the flavor has', { 'hw:mem_page_size': '2MB' }, { hw_mem_page_size: '1GB' }, "against '2MB'"],
    ['an image beyond the flavor', { 'hw:cpu_max_sockets': '2' }, { hw_cpu_max_sockets: '4' }, 'exceeds permitted'],
    ['a wish beyond the limit', { 'hw:cpu_max_cores': '2' }, { hw_cpu_cores: '4' }, 'Image vCPU topology'],
    [
      'too few of everything',
      { 'hw:cpu_max_sockets': '1', 'hw:cpu_max_cores': '1', 'hw:cpu_max_threads': '2' },
      {},
      '1:1:2',
    ],
    ['more video memory than is allowed', {}, { hw_video_ram: '64' }, 'video memory 64 is higher than'],
    ['more serial ports', { 'hw:serial_port_count': '1' }, { hw_serial_port_count: '2' }, 'number of serial ports'],
  ])('%s', (_what, specs, properties, message) => {
    expect(trouble(specs, properties)).toContain(message);
  });

  it.each<[Words, string | undefined]>([
    [{ 'hw:numa_cpus.0': '0-1', 'hw:numa_cpus.1': '2-3', 'hw:numa_mem.0': '24', 'hw:numa_mem.1': '1000' }, undefined],
    [
      { 'hw:numa_cpus.0': '0-1', 'hw:numa_cpus.1': '2-4', 'hw:numa_mem.0': '24', 'hw:numa_mem.1': '1000' },
      'number 4 is larger',
    ],
    [
      { 'hw:numa_cpus.0': '0-2', 'hw:numa_cpus.1': '2-3', 'hw:numa_mem.0': '24', 'hw:numa_mem.1': '1000' },
      'to two nodes',
    ],
    [
      { 'hw:numa_cpus.0': '0-1', 'hw:numa_cpus.1': '3', 'hw:numa_mem.0': '24', 'hw:numa_mem.1': '1000' },
      '2 is not assigned',
    ],
    [
      { 'hw:numa_cpus.0': '0-1', 'hw:numa_cpus.1': '2-3', 'hw:numa_mem.0': '24', 'hw:numa_mem.1': '100' },
      'expected 1024 MB',
    ],
  ])('cells %j', (cells, message) => {
    const why = trouble({ 'hw:numa_nodes': '2', ...cells });
    if (message === undefined) expect(why).toBeUndefined();
    else expect(why).toContain(message);
  });
});

it.each<[Words, Words]>([
  [{}, {}],
  [{ 'hw:cpu_policy': 'dedicated', 'hw:cpu_thread_policy': 'isolate' }, { hw_cpu_thread_policy: 'isolate' }],
  [{ 'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '^0', 'hw:emulator_threads_policy': 'isolate' }, {}],
  [{ 'hw:mem_page_size': 'any' }, { hw_mem_page_size: '2MB' }],
  [{ 'hw:vif_multiqueue_enabled': 'yes' }, { hw_vif_multiqueue_enabled: 'true' }],
  [
    { 'mine:anything': 'goes', 'hw_video:ram_max_mb': '64' },
    { hw_video_ram: '64', os_distro: 'debian', mine: 'x' },
  ],
  [
    { 'trait:CUSTOM_A': 'required', 'resources:CUSTOM_B': '1' },
    { hw_disk_bus: 'SCSI', hw_scsi_model: 'virtio-scsi' },
  ],
])('%j with %j is taken', (specs, properties) => {
  expect(trouble(specs, properties)).toBeUndefined();
});

it.each<[Words, Words, Record<string, number>]>([
  [{}, {}, {}],
  [{ 'hw:cpu_policy': 'dedicated' }, {}, { VCPU: 0, PCPU: 4 }],
  [{}, { hw_cpu_policy: 'dedicated' }, { VCPU: 0, PCPU: 4 }],
  [{ 'hw:cpu_policy': 'dedicated', 'hw:emulator_threads_policy': 'isolate' }, {}, { VCPU: 0, PCPU: 5 }],
  [{ 'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '^0' }, {}, { VCPU: 1, PCPU: 3 }],
])('processors of %j and %j are claimed as %j', (specs, properties, units) => {
  expect(hardwareUnits(flavorWith(specs), { properties })).toEqual(units);
});

it('asks for nodes that can give what is wished for', () => {
  const specs = { 'hw:tpm_version': '2.0', 'hw:tpm_model': 'tpm-crb', 'hw:maxphysaddr_mode': 'emulate' };
  const properties = {
    ...{ hw_firmware_type: 'uefi', os_secure_boot: 'required', hw_disk_bus: 'scsi', hw_cdrom_bus: 'sata' },
    ...{ hw_video_model: 'qxl', hw_vif_model: 'VirtualE1000e', hw_virtio_packed_ring: 'yes' },
  };
  expect(hardwareTraits(flavorWith(specs), { properties }).sort()).toEqual([
    'COMPUTE_ADDRESS_SPACE_EMULATED',
    'COMPUTE_FIRMWARE_UEFI',
    'COMPUTE_GRAPHICS_MODEL_QXL',
    'COMPUTE_NET_VIF_MODEL_E1000E',
    'COMPUTE_NET_VIRTIO_PACKED',
    'COMPUTE_SECURITY_TPM_2_0',
    'COMPUTE_SECURITY_TPM_CRB',
    'COMPUTE_SECURITY_UEFI_SECURE_BOOT',
    'COMPUTE_STORAGE_BUS_SATA',
    'COMPUTE_STORAGE_BUS_SCSI',
  ]);
  expect(hardwareTraits(flavorWith({}), { properties: {} })).toEqual([]);
});

it('seats a guest with processors of its own, or in other pages, as one cell', () => {
  const cells = (specs: Words) => cellsOf(new HardwareWords(specs, {}), flavorWith(specs));
  expect(cells({})).toEqual([]);
  for (const specs of [{ 'hw:cpu_policy': 'dedicated' }, { 'hw:mem_page_size': 'large' }] as Words[])
    expect(cells(specs)).toEqual([{ cpus: 4, memoryMb: 1_024 }]);
});
