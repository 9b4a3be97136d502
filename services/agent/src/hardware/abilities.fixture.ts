/** Two nodes: one as the one-machine cloud has them, one with everything. */
import type { Abilities, MachineAbilities } from './abilities.js';
import type { Hardware, HardwareOrder } from './hardware.js';
import { hardwareOf } from './hardware.js';

const FAMILY: MachineAbilities = {
  diskBuses: ['fdc', 'scsi', 'virtio', 'usb', 'sata'],
  videoModels: ['vga', 'cirrus', 'vmvga', 'virtio', 'none', 'bochs', 'ramfb'],
  cpuModes: ['maximum', 'host-model', 'custom'],
  cpuModels: ['qemu64', 'Nehalem', 'Haswell'],
  uefi: true,
  secureBoot: true,
  tpmModels: ['tpm-tis', 'tpm-crb'],
  tpmVersions: ['1.2', '2.0'],
};

export const PLAIN_NODE: Abilities = {
  accel: 'tcg',
  machineTypes: new Map([
    ['pc', 'pc'],
    ['pc-i440fx-10.0', 'pc'],
    ['q35', 'q35'],
    ['pc-q35-10.0', 'q35'],
  ]),
  families: { pc: { ...FAMILY, diskBuses: ['ide', ...FAMILY.diskBuses] }, q35: FAMILY },
  cells: [{ id: 0, memoryMb: 8_192, hugePages: [], cpus: [0, 1].map((id) => ({ id, siblings: [id] })) }],
  dedicatedCpus: new Set(),
  sharedCpus: new Set([0, 1]),
  cpuQuota: true,
};

/** Two sockets of four cores with two threads each; all but the first core of each is set aside. */
export const LARGE_NODE: Abilities = {
  ...PLAIN_NODE,
  accel: 'kvm',
  families: {
    pc: { ...FAMILY, cpuModes: ['host-passthrough', ...FAMILY.cpuModes] },
    q35: { ...FAMILY, cpuModes: ['host-passthrough', ...FAMILY.cpuModes] },
  },
  cells: [0, 1].map((id) => ({
    id,
    memoryMb: 32_768,
    hugePages: [
      { sizeKib: 2_048, count: 4_096 },
      { sizeKib: 1_048_576, count: 4 },
    ],
    cpus: Array.from({ length: 8 }, (_, n) => {
      const core = id * 4 + (n % 4);
      return { id: n < 4 ? core : core + 8, siblings: [core, core + 8] };
    }),
  })),
  dedicatedCpus: new Set([1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15]),
  sharedCpus: new Set([0, 4, 8, 12]),
};

export const ORDER: HardwareOrder = {
  extraSpecs: {},
  imageProperties: {},
  vcpus: 2,
  memoryMb: 192,
  taken: new Set(),
  before: undefined,
};

export const hardwareFor = (order: Partial<HardwareOrder> = {}, abilities = PLAIN_NODE): Hardware =>
  hardwareOf({ ...ORDER, ...order }, abilities, {});
