/**
 * Machines as flavors and images ask for them: what a real guest finds of each wish inside, and what its node's hypervisor
 * says it made. What can not be had is refused with the reason.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, until } from '../client.js';
import { Lab } from '../network/lab/lab.js';
import { mustOnNode } from '../network/lab/node.js';
import type { Server } from '../network/lab/resources.js';
import { type Guest, Login } from './login.js';
import { Wishes } from './wishes.js';

let lab: Lab;
let login: Login;
let wishes: Wishes;
let plain: string;
/** UEFI on the newer family of machines; BIOS on the older one; one that does not trust what is on its disk. */
let modern: Guest;
let old: Guest;
let wary: Server;

const MODERN_SPECS = {
  ...{ 'hw:cpu_sockets': '1', 'hw:cpu_cores': '2', 'hw:tpm_version': '2.0', 'hw:tpm_model': 'tpm-crb' },
  ...{ 'hw:watchdog_action': 'poweroff', 'hw_rng:rate_bytes': '2048', 'hw_rng:rate_period': '1000' },
  ...{ 'quota:disk_read_iops_sec': '5000', 'quota:cpu_shares': '512', 'hw_video:ram_max_mb': '32' },
};
const MODERN_IMAGE = {
  ...{ hw_machine_type: 'q35', hw_firmware_type: 'uefi', hw_disk_bus: 'scsi', hw_scsi_model: 'virtio-scsi' },
  ...{ hw_video_model: 'vga', hw_video_ram: '32', hw_pointer_model: 'usbtablet', hw_rng_model: 'virtio' },
  ...{ hw_vif_multiqueue_enabled: 'true', hw_boot_menu: 'true' },
};
const OLD_SPECS = {
  ...{ 'hw:cpu_sockets': '1', 'hw:cpu_threads': '2', 'hw:numa_nodes': '1', 'hw:tpm_version': '1.2' },
  ...{ 'hw_rng:allowed': 'False', 'hw:hide_hypervisor_id': 'true', 'hw:pmu': 'false' },
};
const OLD_IMAGE = {
  ...{ hw_machine_type: 'pc', hw_disk_bus: 'sata', hw_video_model: 'cirrus', hw_serial_port_count: '2' },
  ...{ hw_watchdog_action: 'reset', hw_qemu_guest_agent: 'yes' },
};
const WARY_IMAGE = {
  ...{ hw_machine_type: 'q35', hw_firmware_type: 'uefi', os_secure_boot: 'required' },
  ...{ hw_disk_bus: 'usb', hw_vif_model: 'e1000e', hw_video_model: 'none', hw_input_bus: 'virtio' },
};

beforeAll(async () => {
  lab = await Lab.open('hardware', ['node-1']);
  login = await Login.open(lab, 'lab-hardware', '10.82.0.0/24');
  wishes = await Wishes.open(lab, 'lab-hardware');
  plain = await wishes.flavor({ 'hw_video:ram_max_mb': '32' }, { ram: 192 });
  const [first, second, third] = [
    await wishes.image(MODERN_IMAGE),
    await wishes.image(OLD_IMAGE),
    await wishes.image(WARY_IMAGE),
  ];
  const two = { vcpus: 2, ram: 192 };
  const [firstFlavor, secondFlavor] = [await wishes.flavor(MODERN_SPECS, two), await wishes.flavor(OLD_SPECS, two)];
  const network = await lab.network({ subnets: [{ cidr: '10.83.0.0/24' }] });
  [modern, old, wary] = await Promise.all([
    login.guest({ imageRef: first, flavorRef: firstFlavor }),
    login.guest({ imageRef: second, flavorRef: secondFlavor }),
    lab.server({ imageRef: third, flavorRef: await wishes.flavor({}, two), networks: [{ uuid: network.id }] }),
  ]);
});
afterAll(() => lab.close());

const virsh = async (of: { readonly id: string }, command: string, ...more: string[]): Promise<string> =>
  mustOnNode(await login.node(of), 'virsh', command, of.id, ...more);
/** Lines of what a guest says of itself, by their first words. */
const told = async (guest: Guest, commands: Readonly<Record<string, string>>): Promise<Record<string, string>> => {
  const script = Object.entries(commands).map(
    ([name, command]) => `echo "${name} "$(${command} 2>/dev/null || echo -)`,
  );
  const lines = (await login.inside(guest, script.join('; '))).split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/ (.*)/s).slice(0, 2) as [string, string]));
};

const FACTS = {
  efi: '[ -d /sys/firmware/efi ] && echo yes',
  tpm: 'cat /sys/class/tpm/tpm0/tpm_version_major',
  watchdog: '[ -c /dev/watchdog ] && echo yes',
  rng: 'cat /sys/class/misc/hw_random/rng_current',
  queues: 'ls /sys/class/net/eth0/queues | grep -c rx',
  cpus: 'nproc',
  threads: 'cat /sys/devices/system/cpu/cpu0/topology/thread_siblings_list',
  cores: 'cat /sys/devices/system/cpu/cpu0/topology/core_siblings_list',
  hypervisor: 'grep -m1 -ow hypervisor /proc/cpuinfo',
  cells: 'ls -d /sys/devices/system/node/node* | wc -l',
  serials: 'grep -c 16550A /proc/tty/driver/serial',
  agent: 'cat /sys/class/virtio-ports/*/name',
  disks: 'cd /sys/block; ls -d [vsh]d?',
};

describe('secure boot', () => {
  it('refuses a loader that nobody signed', async () => {
    const read = { 'os-getConsoleOutput': { length: 200 } };
    const log = async () =>
      (await lab.compute<{ output: string }>('POST', `/servers/${wary.id}/action`, read)).output ?? '';
    await until('the firmware to refuse', log, (text) => /Access Denied|Security Violation/i.test(text), 60_000, 500);
    const xml = await virsh(wary, 'dumpxml');
    for (const part of ["enabled='yes' name='secure-boot'", "secure='yes'", "<smm state='on'", "bus='usb'"])
      expect(xml).toContain(part);
    for (const part of ["<model type='e1000e'/>", "<model type='none'/>", "type='tablet' bus='virtio'"])
      expect(xml).toContain(part);
    // Its firmware would go on trying, which costs the others time.
    await lab.compute('DELETE', `/servers/${wary.id}`);
  });
});

describe('a machine of the newer family', () => {
  it('is what its flavor and its image asked for', async () => {
    expect(await told(modern, FACTS)).toMatchObject({
      ...{ efi: 'yes', tpm: '2', watchdog: 'yes', rng: 'virtio_rng.0', queues: '2', cpus: '2', threads: '0' },
      ...{ cores: '0-1', hypervisor: 'hypervisor', serials: '1', agent: '-', disks: 'sda' },
    });
    const xml = await virsh(modern, 'dumpxml');
    for (const part of ["model='tpm-crb'", "type='tablet' bus='usb'", "bytes='2048' period='1000'", 'pc-q35-'])
      expect(xml).toContain(part);
    for (const part of ["enabled='no' name='secure-boot'", "vram='32768'", "<bootmenu enable='yes'"])
      expect(xml).toContain(part);
    expect(await virsh(modern, 'schedinfo')).toMatch(/cpu_shares\s*: 512\n/);
    expect(await virsh(modern, 'blkdeviotune', 'sda')).toMatch(/read_iops_sec\s*: 5000\n/);
  });

  it('is switched off by its watchdog when it hangs', async () => {
    await login.inside(modern, 'sudo watchdog -T 2 -t 60 /dev/watchdog');
    await login.becomes(modern, 'SHUTOFF');
  });

  it('is another one after a resize, with the same disk on the same bus', async () => {
    await login.act(modern, { resize: { flavorRef: plain } }, 'VERIFY_RESIZE');
    await login.act(modern, { confirmResize: null }, 'SHUTOFF');
    await login.act(modern, { 'os-start': null }, 'ACTIVE');
    await login.answers(modern);
    expect(await told(modern, FACTS)).toMatchObject({
      ...{ efi: 'yes', tpm: '-', watchdog: '-', rng: 'virtio_rng.0', queues: '1', cpus: '1', disks: 'sda' },
    });
  });
});

describe('a machine of the older family', () => {
  it('is what its flavor and its image asked for', async () => {
    expect(await told(old, FACTS)).toMatchObject({
      ...{ efi: '-', tpm: '1', watchdog: 'yes', rng: 'none', queues: '1', cpus: '2', threads: '0-1', cores: '0-1' },
      ...{ hypervisor: '-', cells: '1', serials: '2', agent: 'org.qemu.guest_agent.0', disks: 'sda' },
    });
    const xml = await virsh(old, 'dumpxml');
    for (const part of ["type='cirrus'", "<pmu state='off'/>", "action='reset'", "<cell id='0' cpus='0-1'"])
      expect(xml).toContain(part);
  });

  it('is another one after a rebuild, but for what the flavor says', async () => {
    const imageRef = (await lab.imageIds())('tiny');
    await login.act(old, { rebuild: { imageRef } }, 'ACTIVE');
    await login.answers(old);
    expect(await told(old, FACTS)).toMatchObject({
      ...{ tpm: '1', watchdog: '-', rng: 'none', threads: '0-1', serials: '1' },
      ...{ agent: 'org.qemu.guest_agent.0', disks: 'vda' },
    });
  });

  it('is rescued from a disk on the bus that the rescue image names, beside its own', async () => {
    const rescue_image_ref = await wishes.image({ hw_rescue_bus: 'scsi', hw_rescue_device: 'disk' });
    await login.act(old, { rescue: { rescue_image_ref } }, 'RESCUE');
    await login.answers(old);
    expect(await told(old, FACTS)).toMatchObject({ tpm: '1', threads: '0-1', disks: 'sda vda' });
  });
});

describe('what can not be had', () => {
  let tiny: string;
  beforeAll(async () => {
    tiny = (await lab.imageIds())('tiny');
  });

  it.each<[string, Record<string, string>, string]>([
    ['a TPM that no node has', { 'hw:tpm_version': '2.0', 'trait:CUSTOM_NOWHERE': 'required' }, 'CUSTOM_NOWHERE'],
    ['dedicated processors', { 'hw:cpu_policy': 'dedicated' }, 'no PCPU'],
    ['huge pages', { 'hw:mem_page_size': '1GB' }, 'in pages of size 1GB'],
    ['two cells', { 'hw:numa_nodes': '2' }, '2 NUMA nodes'],
    ['encrypted memory', { 'hw:mem_encryption': 'true' }, 'encrypted memory'],
    ['devices of the host', { 'pci_passthrough:alias': 'gpu:1' }, 'devices of the host'],
    ['limits of traffic', { 'quota:vif_outbound_average': '100' }, 'QoS policy'],
  ])('%s is refused with the reason', async (_what, specs, reason) => {
    const why = await wishes.refusal(tiny, await wishes.flavor(specs, { vcpus: 2 }));
    expect(why).toContain('No valid host was found');
    expect(why).toContain(reason);
  });

  it('what nobody knows, or contradicts itself, is refused at once', async () => {
    expect(await wishes.refusal(tiny, await wishes.flavor({ 'hw:cpu_polici': 'dedicated' }))).toBe(
      "400 Validation failed; extra spec 'hw:cpu_polici' does not appear to be a valid extra spec.",
    );
    expect(await wishes.refusal(tiny, await wishes.flavor({ 'hw:numa_nodes': '1', 'hw:numa_cpus.0': '0' }))).toBe(
      '400 CPU and memory allocation must be provided for all NUMA nodes',
    );
    const odd = await wishes.image({ hw_disk_bus: 'nvme' });
    expect(await wishes.refusal(odd, plain)).toContain("400 Invalid image metadata. Error: 'nvme' is not valid");
  });
});

it('leaves the books balanced', async () => {
  const ids = [modern, old].map(({ id }) => id);
  expect((await findings()).filter(({ id }) => ids.includes(id))).toEqual([]);
});
