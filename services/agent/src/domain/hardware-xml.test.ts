/** What each wish of a flavor or an image changes in the domain: the lines that differ from the plain one, kept as golden. */
import { expect, it } from 'vitest';
import { hardwareFor, LARGE_NODE, PLAIN_NODE } from '../hardware/abilities.fixture.js';
import type { Abilities } from '../hardware/abilities.js';
import { type DomainInput, domainXml } from './domain-xml.js';

const BASE: Omit<DomainInput, 'hardware' | 'accel'> = {
  serverId: '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b',
  displayName: 'web',
  projectId: 'p',
  vcpus: 4,
  memoryMb: 2_048,
  disk: { path: '/i/disk.qcow2', basePath: '/c/base.qcow2', baseFormat: 'qcow2' },
  localDisks: [{ path: '/i/disk1.qcow2' }],
  configDrive: '/i/config.iso',
  nics: [{ portId: '5d0f3e8a-1b2c-4d3e-8f90-aabbccddeeff', mac: 'fa:16:3e:00:00:01', mtu: 1442 }],
  bridge: 'br-int',
  consoleLog: '/i/console.log',
};

type Words = Record<string, string>;

const xmlOf = (extraSpecs: Words, imageProperties: Words, node: Abilities): string[] => {
  const { vcpus, memoryMb } = BASE;
  const hardware = hardwareFor({ extraSpecs, imageProperties, vcpus, memoryMb }, node);
  return domainXml({ ...BASE, hardware, accel: node.accel })
    .trimEnd()
    .split('\n');
};

/** Lines that only one of them has, in order, by the longest common subsequence. */
function difference(before: readonly string[], after: readonly string[]): string[] {
  const longest = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      longest[i]![j] =
        before[i] === after[j] ? longest[i + 1]![j + 1]! + 1 : Math.max(longest[i + 1]![j]!, longest[i]![j + 1]!);
  const lines: string[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++;
      j++;
    } else if (j >= after.length || (i < before.length && longest[i + 1]![j]! >= longest[i]![j + 1]!))
      lines.push(`- ${before[i++]}`);
    else lines.push(`+ ${after[j++]}`);
  }
  return lines;
}

const CASES: readonly [name: string, extraSpecs: Words, image: Words, node?: Abilities][] = [
  ['cpu-topology', { 'hw:cpu_cores': '2', 'hw:cpu_threads': '2', 'hw:cpu_sockets': '1' }, {}],
  ['cpu-topology-limits', { 'hw:cpu_max_sockets': '1', 'hw:cpu_max_threads': '1' }, {}],
  ['cpu-dedicated', { 'hw:cpu_policy': 'dedicated' }, {}, LARGE_NODE],
  [
    'cpu-dedicated-isolate',
    { 'hw:cpu_policy': 'dedicated' },
    { hw_cpu_thread_policy: 'isolate' },
    { ...LARGE_NODE, dedicatedCpus: new Set(Array.from({ length: 16 }, (_, n) => n)) },
  ],
  ['cpu-mixed', { 'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '2-3' }, {}, LARGE_NODE],
  ['numa', { 'hw:numa_nodes': '2' }, {}, LARGE_NODE],
  [
    'numa-uneven',
    {
      'hw:numa_nodes': '2',
      'hw:numa_cpus.0': '0',
      'hw:numa_mem.0': '512',
      'hw:numa_cpus.1': '1-3',
      'hw:numa_mem.1': '1536',
    },
    {},
    LARGE_NODE,
  ],
  ['huge-pages', { 'hw:mem_page_size': '2MB' }, {}, LARGE_NODE],
  ['watchdog', { 'hw:watchdog_action': 'reset' }, {}],
  ['watchdog-image', { 'hw:watchdog_action': 'reset' }, { hw_watchdog_action: 'pause' }],
  [
    'rng-rate',
    { 'hw_rng:allowed': 'True', 'hw_rng:rate_bytes': '1024', 'hw_rng:rate_period': '1000' },
    { hw_rng_model: 'virtio' },
  ],
  ['rng-none', { 'hw_rng:allowed': 'False' }, {}],
  ['video', { 'hw_video:ram_max_mb': '64' }, { hw_video_model: 'virtio', hw_video_ram: '32' }],
  ['video-none', {}, { hw_video_model: 'none' }],
  ['machine-q35', {}, { hw_machine_type: 'q35' }],
  ['machine-version', {}, { hw_machine_type: 'pc-i440fx-10.0' }],
  ['uefi', {}, { hw_firmware_type: 'uefi', hw_machine_type: 'q35' }],
  ['uefi-stateless', {}, { hw_firmware_type: 'uefi', hw_firmware_stateless: 'true' }],
  ['secure-boot', { 'os:secure_boot': 'required' }, { hw_firmware_type: 'uefi', hw_machine_type: 'q35' }],
  ['tpm', { 'hw:tpm_version': '2.0', 'hw:tpm_model': 'tpm-crb' }, {}],
  ['disk-bus-scsi', {}, { hw_disk_bus: 'scsi' }],
  ['disk-bus-scsi-lsi', {}, { hw_disk_bus: 'scsi', hw_scsi_model: 'lsilogic' }],
  ['disk-bus-sata', {}, { hw_disk_bus: 'sata', hw_machine_type: 'q35' }],
  ['disk-bus-ide', {}, { hw_disk_bus: 'ide', hw_cdrom_bus: 'ide' }],
  ['disk-bus-usb', {}, { hw_disk_bus: 'usb' }],
  ['vif-model', {}, { hw_vif_model: 'e1000e' }],
  ['vif-queues', { 'hw:vif_multiqueue_enabled': 'true' }, {}],
  ['packed-rings', { 'hw:virtio_packed_ring': 'true' }, {}],
  ['guest-agent', {}, { hw_qemu_guest_agent: 'yes' }],
  ['boot-menu', { 'hw:boot_menu': 'true' }, {}],
  ['pointer', {}, { hw_pointer_model: 'usbtablet' }],
  ['pointer-virtio', {}, { hw_input_bus: 'virtio' }],
  ['hpet', {}, { hw_time_hpet: 'true' }],
  ['windows-tcg', {}, { os_type: 'windows' }],
  ['windows-kvm', {}, { os_type: 'windows' }, LARGE_NODE],
  ['emulator-share', { 'hw:cpu_policy': 'dedicated', 'hw:emulator_threads_policy': 'share' }, {}, LARGE_NODE],
  ['hidden-tcg', { 'hw:hide_hypervisor_id': 'true' }, {}],
  ['hidden-kvm', {}, { img_hide_hypervisor_id: 'true' }, LARGE_NODE],
  ['pmu', { 'hw:pmu': 'false' }, {}],
  ['serial-ports', { 'hw:serial_port_count': '3' }, { hw_serial_port_count: '2' }],
  ['cpu-quota', { 'quota:cpu_shares': '512', 'quota:cpu_period': '20000', 'quota:cpu_quota': '10000' }, {}],
  [
    'disk-quota',
    {
      'quota:disk_read_bytes_sec': '10240000',
      'quota:disk_write_iops_sec': '10',
      'quota:disk_total_bytes_sec_max': '7',
    },
    {},
  ],
  ['address-bits', { 'hw:maxphysaddr_mode': 'emulate', 'hw:maxphysaddr_bits': '42' }, {}, LARGE_NODE],
  ['address-bits-passthrough', { 'hw:maxphysaddr_mode': 'passthrough' }, {}, LARGE_NODE],
];

it.each(CASES)('%s', async (name, extraSpecs, image, node = PLAIN_NODE) => {
  const changed = difference(xmlOf({}, {}, node), xmlOf(extraSpecs, image, node));
  expect(changed.length).toBeGreaterThan(0);
  const words = [...Object.entries(extraSpecs), ...Object.entries(image)].map(([key, value]) => `${key}=${value}`);
  const text = [...words, '', ...changed, ''].join('\n');
  await expect(text).toMatchFileSnapshot(`./golden/${name}.golden.txt`);
});

it('encrypts with a secret of libvirt, over a base that is plain', async () => {
  const { disk, localDisks, serverId: secretId } = BASE;
  const input = { ...BASE, hardware: hardwareFor(), accel: 'tcg' as const };
  const sealed = { disk: { ...disk, secretId }, localDisks: localDisks.map((one) => ({ ...one, secretId })) };
  const lines = difference(domainXml(input).split('\n'), domainXml({ ...input, ...sealed }).split('\n'));
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./golden/luks.golden.txt');
});
