import { describe, expect, it } from 'vitest';
import { hardwareFor, LARGE_NODE, ORDER, PLAIN_NODE } from './abilities.fixture.js';
import { abilitiesOf } from './abilities.js';
import { hardwareOf } from './hardware.js';
import { traitsOf } from './traits.js';
import { cpuRanges, cpuSet } from './wishes.js';
import { parseXml } from './xml-reader.js';

const refusal = (what: () => unknown): string => {
  try {
    what();
  } catch (error) {
    return (error as Error).message;
  }
  return 'given';
};

describe('what a node can not give is refused with the reason', () => {
  it.each<[string, Record<string, string>, Record<string, string>, string]>([
    ['encrypted memory', { 'hw:mem_encryption': 'true' }, {}, 'encrypted memory'],
    ['real time', { 'hw:cpu_realtime': 'yes' }, {}, 'real time'],
    ['locked memory', { 'hw:locked_memory': '1' }, {}, 'locked memory'],
    ['passthrough', { 'pci_passthrough:alias': 'gpu:1' }, {}, 'devices of the host'],
    ['limits of interfaces', { 'quota:vif_inbound_average': '100' }, {}, 'QoS policy'],
    ['dedicated processors where none are set aside', { 'hw:cpu_policy': 'dedicated' }, {}, 'none are set aside'],
    ['limits of other hypervisors', { 'quota:memory_limit': '100' }, {}, 'quota:memory_limit'],
    ['sound', {}, { hw_sound_model: 'ich9' }, 'sound'],
    ['other architectures', {}, { hw_emulation_architecture: 'aarch64' }, 'other architectures'],
    ['more serial ports than a PC has', {}, { hw_serial_port_count: '5' }, '5 serial ports'],
    ['more cells than the host has', { 'hw:numa_nodes': '2' }, {}, 'a cell of 1 processors and 96 MB'],
    ['huge pages', { 'hw:mem_page_size': 'large' }, {}, 'pages of size large'],
    ['an unknown machine', {}, { hw_machine_type: 'pc-i440fx-1.0' }, 'machines of type'],
    ['IDE on q35', {}, { hw_disk_bus: 'ide', hw_machine_type: 'q35' }, 'disks on bus ide'],
    ['video it has not', {}, { hw_video_model: 'qxl' }, 'video of model qxl'],
    ['video memory beyond the flavor', {}, { hw_video_ram: '64' }, '64 MB of video memory'],
    ['secure boot with BIOS', { 'os:secure_boot': 'required' }, {}, 'secure boot without UEFI'],
    ['secure boot on pc', { 'os:secure_boot': 'required' }, { hw_firmware_type: 'uefi' }, 'secure boot on such'],
    ['a bus of other hypervisors', {}, { hw_disk_bus: 'xen' }, 'disks on bus xen'],
    ['address bits under emulation', { 'hw:maxphysaddr_mode': 'passthrough' }, {}, 'without hardware virtualization'],
    [
      'an impossible topology',
      { 'hw:cpu_max_sockets': '1', 'hw:cpu_max_cores': '1', 'hw:cpu_max_threads': '1' },
      {},
      'do not fit',
    ],
  ])('%s', (_what, extraSpecs, imageProperties, reason) => {
    const why = refusal(() => hardwareFor({ extraSpecs, imageProperties }));
    expect(why).toContain('this node can not give it');
    expect(why).toContain(reason);
  });

  it('the firmware when it is not installed', () => {
    const bare = { ...PLAIN_NODE.families.pc, uefi: false };
    const node = { ...PLAIN_NODE, families: { pc: bare, q35: bare } };
    expect(refusal(() => hardwareFor({ imageProperties: { hw_firmware_type: 'uefi' } }, node))).toContain('UEFI');
  });
});

describe('processors', () => {
  it.each<[Record<string, string>, Record<string, string>, number, string]>([
    [{}, {}, 4, '4:1:1'],
    [{ 'hw:cpu_cores': '2' }, {}, 4, '2:2:1'],
    [{ 'hw:cpu_max_sockets': '1' }, {}, 6, '1:6:1'],
    [{ 'hw:cpu_threads': '2' }, { hw_cpu_cores: '4' }, 4, '1:4:1'],
    [{ 'hw:cpu_sockets': '4', 'hw:cpu_max_sockets': '8' }, { hw_cpu_max_sockets: '2' }, 4, '2:2:1'],
  ])('%j with %j over %d are %s', (extraSpecs, imageProperties, vcpus, want) => {
    const { sockets, cores, threads } = hardwareFor({ extraSpecs, imageProperties, vcpus }).topology;
    expect(`${sockets}:${cores}:${threads}`).toBe(want);
  });

  it('of its own are whole cores, kept over restarts and not given twice', () => {
    const extraSpecs = { 'hw:cpu_policy': 'dedicated' };
    const first = hardwareFor({ extraSpecs, vcpus: 4 }, LARGE_NODE).layout;
    expect(first.held).toEqual([1, 9, 2, 10]);
    expect(hardwareFor({ extraSpecs, vcpus: 4, before: first }, LARGE_NODE).layout).toBe(first);
    const second = hardwareFor({ extraSpecs, vcpus: 4, taken: new Set(first.held) }, LARGE_NODE).layout;
    expect(second.held).toEqual([5, 13, 6, 14]);
    const rest = new Set([...first.held, ...second.held]);
    expect(refusal(() => hardwareFor({ extraSpecs, vcpus: 4, taken: rest }, LARGE_NODE))).toContain('4 processors');
  });

  it('of its own are given anew when something else is asked for', () => {
    const before = hardwareFor({ extraSpecs: { 'hw:cpu_policy': 'dedicated' } }, LARGE_NODE).layout;
    for (const [key, value] of [
      ['hw:cpu_thread_policy', 'isolate'],
      ['hw:emulator_threads_policy', 'isolate'],
      ['hw:mem_page_size', '2MB'],
    ] as const) {
      const extraSpecs = { 'hw:cpu_policy': 'dedicated', [key]: value };
      expect(hardwareFor({ extraSpecs, memoryMb: 2_048, before }, LARGE_NODE).layout).not.toEqual(before);
    }
  });

  it('are refused to guests that share where all are set aside', () => {
    const node = { ...PLAIN_NODE, dedicatedCpus: new Set([0, 1]), sharedCpus: new Set<number>() };
    expect(refusal(() => hardwareFor({}, node))).toContain('all are set aside');
    expect(hardwareFor({ extraSpecs: { 'hw:cpu_policy': 'dedicated' } }, node).layout.held).toEqual([0, 1]);
  });

  it('isolated leave the other thread of their core alone, and required ones are pairs', () => {
    const isolate = { 'hw:cpu_policy': 'dedicated', 'hw:cpu_thread_policy': 'isolate' };
    const { pins, held } = hardwareFor({ extraSpecs: isolate }, LARGE_NODE).layout;
    expect(pins.map((pin) => pin.hostCpu)).toEqual([1, 2]);
    expect([...held].sort((a, b) => a - b)).toEqual([1, 2, 9, 10]);
    const require = { ...isolate, 'hw:cpu_thread_policy': 'require' };
    expect(hardwareFor({ extraSpecs: require }, LARGE_NODE).layout.held).toEqual([1, 9]);
    const single = { ...PLAIN_NODE, dedicatedCpus: new Set([0, 1]) };
    expect(refusal(() => hardwareFor({ extraSpecs: require }, single))).toContain('2 processors');
  });

  it('of a mixed guest are its own where the mask says so; the emulator gets one when it asks', () => {
    const extraSpecs = {
      'hw:cpu_policy': 'mixed',
      'hw:cpu_dedicated_mask': '^0',
      'hw:emulator_threads_policy': 'isolate',
    };
    const { pins, emulatorCpus } = hardwareFor({ extraSpecs, vcpus: 3 }, LARGE_NODE).layout;
    expect(pins.map((pin) => pin.vcpu)).toEqual([1, 2]);
    expect(emulatorCpus).toHaveLength(1);
  });
});

it('memory lies in the largest pages that hold it, or in those that were asked for', () => {
  const pages = (size: string, memoryMb: number, image: Record<string, string> = {}) =>
    hardwareFor({ extraSpecs: { 'hw:mem_page_size': size }, imageProperties: image, memoryMb }, LARGE_NODE).layout
      .cells[0]!.pageKib;
  expect(pages('large', 2_048)).toBe(1_048_576);
  expect(pages('any', 1_536)).toBe(2_048);
  expect(pages('any', 1_535)).toBe(undefined);
  expect(pages('2MB', 2_048)).toBe(2_048);
  expect(pages('large', 2_048, { hw_mem_page_size: '2048' })).toBe(2_048);
  expect(refusal(() => pages('1GB', 1_536))).toContain('pages of size 1GB');
});

it('a node that chooses its processor model by a list takes the best it has', () => {
  const cpu = hardwareOf(ORDER, PLAIN_NODE, { mode: 'custom', models: ['EPYC', 'Haswell', 'qemu64'] }).cpu;
  expect(cpu.model).toBe('Haswell');
  expect(refusal(() => hardwareOf(ORDER, PLAIN_NODE, { mode: 'custom', models: ['EPYC'] }))).toContain('EPYC');
});

it('reads and writes lists of processors', () => {
  expect([...cpuSet('0-3,^2, 7')]).toEqual([0, 1, 3, 7]);
  expect(cpuRanges([7, 0, 1, 3])).toBe('0-1,3,7');
  expect(refusal(() => cpuSet('3-1'))).toContain('not a list');
});

describe("libvirt's own documents", () => {
  const host = `<?xml version="1.0"?><capabilities><host><topology><cells num='1'><cell id='0'>
    <memory unit='KiB'>2097152</memory><pages unit='KiB' size='4'>1</pages><pages unit='KiB' size='2048'>8</pages>
    <cpus num='2'><cpu id='0' siblings='0-1'/><cpu id='1' siblings='0-1'/></cpus></cell></cells></topology></host>
    <guest><arch name='i686'><machine>isapc</machine></arch></guest>
    <guest><arch name='x86_64'><machine canonical='pc-q35-10.0'>q35</machine><machine>pc</machine><machine>microvm</machine></arch></guest></capabilities>`;
  const family = `<domainCapabilities><os><enum name='firmware'><value>efi</value></enum><loader><enum name='secure'>
    <value>no</value></enum></loader></os><cpu><mode name='host-passthrough' supported='no'/><mode name='custom' supported='yes'>
    <model usable='yes'>Nehalem</model><model usable='no'>EPYC</model></mode></cpu><devices><disk><enum name='bus'>
    <value>virtio</value></enum></disk><tpm><enum name='model'><value>tpm-crb</value></enum><enum name='backendModel'>
    <value>passthrough</value></enum></tpm></devices></domainCapabilities>`;
  const none = new Set<number>();
  const facts = {
    accel: 'tcg' as const,
    cpus: 3,
    memoryMb: 100,
    dedicatedCpus: none,
    sharedCpus: none,
    cpuQuota: false,
  };

  it('say what the node can give', () => {
    const abilities = abilitiesOf({ host, families: { pc: family, q35: family } }, facts);
    expect([...abilities.machineTypes]).toEqual([
      ['q35', 'q35'],
      ['pc', 'pc'],
    ]);
    expect(abilities.families.pc).toMatchObject({
      uefi: true,
      secureBoot: false,
      cpuModels: ['Nehalem'],
      tpmModels: [],
    });
    expect(abilities.cells).toEqual([
      {
        id: 0,
        memoryMb: 2_048,
        hugePages: [{ sizeKib: 2_048, count: 8 }],
        cpus: [
          { id: 0, siblings: [0, 1] },
          { id: 1, siblings: [0, 1] },
        ],
      },
    ]);
  });

  it('tell which processors the configuration names in vain', () => {
    const families = { pc: family, q35: family };
    const cpus = (sharedCpus: Set<number>, dedicatedCpus: Set<number>) =>
      abilitiesOf({ host, families }, { ...facts, sharedCpus, dedicatedCpus });
    expect([...cpus(none, new Set([1])).sharedCpus]).toEqual([0]);
    expect([...cpus(new Set([0]), none).sharedCpus]).toEqual([0]);
    expect(refusal(() => cpus(none, new Set([1, 7])))).toContain('not there: 7');
  });

  it('may be silent about cells', () => {
    const abilities = abilitiesOf({ host: '<capabilities/>', families: { pc: family, q35: family } }, facts);
    expect(abilities.cells).toEqual([
      { id: 0, memoryMb: 100, hugePages: [], cpus: [0, 1, 2].map((id) => ({ id, siblings: [id] })) },
    ]);
  });

  it.each(['', '<a>', '<a></b>', '<a/><b/>', '<a', 'x<a/>y<'])('are read or refused: %j', (text) => {
    expect(() => parseXml(text)).toThrow();
  });
});

it('reports what it can give by the usual names', async () => {
  await expect(traitsOf(PLAIN_NODE, ['avx512f']).join('\n')).toMatchFileSnapshot('./traits-tcg.golden.txt');
  const kvm = traitsOf(LARGE_NODE, ['avx512f', 'vmx', 'pni', 'nonsense']);
  expect(kvm).toEqual(
    expect.arrayContaining(['HW_CPU_X86_AVX512F', 'HW_CPU_X86_VMX', 'HW_CPU_X86_SSE3', 'HW_CPU_HYPERTHREADING']),
  );
  expect(kvm).not.toContain('HW_CPU_X86_AVX2');
});
