/**
 * What a guest's machine is made of: decided from the flavor's extra specs, the image's properties and what the node can
 * give. Pure. It returns the machine, or throws the reason why this node can not give it; nothing that was asked for is
 * left out silently, except what changes nothing on this kind of host (other hypervisors' properties).
 */
import type { Abilities, MachineAbilities, MachineFamily } from './abilities.js';
import { type CpuModel, type CpuPreference, cpuModelOf } from './cpu.js';
import { type Firmware, firmwareOf, type Tpm, tpmOf } from './firmware.js';
import { type Layout, layOut } from './memory-layout.js';
import { type CpuQuota, cpuQuotaOf, type DiskQuota, diskQuotaOf, refuseForeignQuota } from './quota.js';
import { type Topology, topologyOf } from './topology.js';
import { cpuRanges, refused, Wishes, type WishSources } from './wishes.js';

export const DISK_BUSES = ['virtio', 'scsi', 'sata', 'ide', 'usb'] as const;
export type DiskBus = (typeof DISK_BUSES)[number];
const SCSI_MODELS = ['virtio-scsi', 'lsilogic', 'lsisas1068', 'lsisas1078', 'vmpvscsi'];
const VIF_MODELS = ['virtio', 'e1000', 'e1000e', 'rtl8139', 'ne2k_pci', 'pcnet', 'vmxnet3', 'igb'];
const VIF_WORDS: Readonly<Record<string, string>> = {
  VirtualE1000: 'e1000',
  VirtualE1000e: 'e1000e',
  VirtualVmxnet3: 'vmxnet3',
};
const WATCHDOG_ACTIONS = ['none', 'pause', 'poweroff', 'reset'];
const POINTERS = ['usbtablet', 'ps2mouse'];

export interface Hardware {
  /** As libvirt takes it. */
  readonly machine: string;
  readonly family: MachineFamily;
  readonly cpu: CpuModel;
  readonly topology: Topology;
  readonly layout: Layout;
  /** Host processors of a guest that has none of its own, as a list; '' for all. */
  readonly sharedCpus: string;
  readonly firmware: Firmware | undefined;
  readonly tpm: Tpm | undefined;
  readonly watchdog: string | undefined;
  /** Undefined: no source of randomness. */
  readonly rng: { readonly bytes: number; readonly periodMs: number } | undefined;
  /** Undefined: as the node has it by itself. */
  readonly video: { readonly model: string; readonly vramKib: number | undefined } | undefined;
  readonly diskBus: DiskBus;
  readonly cdromBus: DiskBus;
  readonly scsiModel: string;
  readonly vifModel: string;
  readonly queues: number;
  readonly packedRing: boolean;
  readonly guestAgent: boolean;
  readonly bootMenu: boolean;
  /** The bus of a pointer that tells where it is. */
  readonly tablet: 'usb' | 'virtio' | undefined;
  /** Its clock shows local time, and under KVM it knows its hypervisor. */
  readonly windows: boolean;
  readonly hpet: boolean;
  readonly hidden: boolean;
  readonly pmu: boolean | undefined;
  readonly serialPorts: number;
  readonly cpuQuota: CpuQuota;
  readonly diskQuota: DiskQuota;
}

export interface HardwareOrder extends WishSources {
  readonly vcpus: number;
  readonly memoryMb: number;
  /** Host processors that other servers on the node hold. */
  readonly taken: ReadonlySet<number>;
  readonly before: Layout | undefined;
}

/** Throws `conflict` with the reason. */
export function hardwareOf(order: HardwareOrder, abilities: Abilities, preference: CpuPreference): Hardware {
  const wishes = new Wishes(order);
  refuseWhatNobodyGives(wishes);
  const { machine, family } = machineOf(wishes, abilities);
  const able = abilities.families[family];
  const layout = layOut(wishes, abilities, order);
  return {
    machine,
    family,
    cpu: cpuModelOf(wishes, abilities.accel, able, preference),
    topology: topologyOf(wishes, order.vcpus),
    layout,
    sharedCpus: sharedCpusOf(abilities, order.vcpus - layout.pins.length),
    firmware: firmwareOf(wishes, able, family),
    tpm: tpmOf(wishes, able),
    watchdog: watchdogOf(wishes),
    rng: rngOf(wishes),
    video: videoOf(wishes, able),
    diskBus: busOf(wishes, 'hw_disk_bus', able) ?? 'virtio',
    cdromBus: busOf(wishes, 'hw_cdrom_bus', able) ?? 'scsi',
    scsiModel:
      oneOf(wishes.image('hw_scsi_model')?.toLowerCase(), SCSI_MODELS, 'SCSI controllers of model') ?? 'virtio-scsi',
    vifModel: vifModelOf(wishes),
    queues: wishes.flag('vif_multiqueue_enabled') ? Math.min(order.vcpus, 256) : 1,
    packedRing: wishes.flag('virtio_packed_ring') ?? false,
    guestAgent: wishes.imageFlag('hw_qemu_guest_agent') ?? false,
    bootMenu: wishes.flag('boot_menu') ?? false,
    tablet: tabletOf(wishes),
    windows: wishes.image('os_type')?.toLowerCase() === 'windows',
    hpet: wishes.imageFlag('hw_time_hpet') ?? false,
    hidden: wishes.flag('hide_hypervisor_id') ?? wishes.imageFlag('img_hide_hypervisor_id') ?? false,
    pmu: wishes.flag('pmu'),
    serialPorts: serialPortsOf(wishes),
    cpuQuota: cpuQuotaOf(wishes, abilities),
    diskQuota: diskQuotaOf(wishes),
  };
}

/** What no node of ours has. */
function refuseWhatNobodyGives(wishes: Wishes): void {
  refuseForeignQuota(wishes);
  if (wishes.flag('mem_encryption')) throw refused('encrypted memory');
  if (wishes.flag('cpu_realtime')) throw refused('processors in real time');
  if (wishes.flag('locked_memory')) throw refused('locked memory');
  if (wishes.text('viommu_model') && wishes.text('viommu_model') !== 'none') throw refused('a virtual IOMMU');
  if (wishes.flavor('hw:pmem')) throw refused('persistent memory');
  if (wishes.flavor('pci_passthrough:alias')) throw refused('devices of the host');
  if (wishes.flavor('accel:device_profile')) throw refused('accelerators');
  if (wishes.image('hw_sound_model')) throw refused('sound');
  if (wishes.image('hw_usb_model')) throw refused('a choice of USB controllers');
  if (wishes.imageFlag('hw_ipxe_boot')) throw refused('booting from the network');
  if ((wishes.image('hw_emulation_architecture') ?? 'x86_64') !== 'x86_64') throw refused('other architectures');
}

/** '': all of the host's. */
function sharedCpusOf({ cells, sharedCpus }: Abilities, sharing: number): string {
  if (sharing && !sharedCpus.size) throw refused('shared processors: all are set aside on this node');
  const all = cells.reduce((sum, cell) => sum + cell.cpus.length, 0);
  return sharedCpus.size === all ? '' : cpuRanges(sharedCpus);
}

function tabletOf(wishes: Wishes): Hardware['tablet'] {
  const model = oneOf(wishes.image('hw_pointer_model'), POINTERS, 'pointers of model');
  const bus = oneOf(wishes.image('hw_input_bus'), ['usb', 'virtio'] as const, 'pointers on bus');
  return bus ?? (model === 'usbtablet' ? 'usb' : undefined);
}

/** As many as a PC has. */
const MOST_PORTS = 4;

function serialPortsOf(wishes: Wishes): number {
  const ports = wishes.imageNumber('hw_serial_port_count') ?? wishes.flavorNumber('hw:serial_port_count') ?? 1;
  if (ports > MOST_PORTS) throw refused(`${ports} serial ports: a machine has ${MOST_PORTS} at most`);
  return ports;
}

function machineOf(wishes: Wishes, abilities: Abilities): { machine: string; family: MachineFamily } {
  const machine = wishes.image('hw_machine_type') ?? 'pc';
  const family = abilities.machineTypes.get(machine);
  if (!family) throw refused(`machines of type ${machine.slice(0, 40)}`);
  return { machine, family };
}

function busOf(wishes: Wishes, key: string, able: MachineAbilities): DiskBus | undefined {
  const bus = oneOf(wishes.image(key)?.toLowerCase() as DiskBus | undefined, DISK_BUSES, 'disks on bus');
  if (bus !== undefined && !able.diskBuses.includes(bus)) throw refused(`disks on bus ${bus} of such a machine`);
  return bus;
}

function vifModelOf(wishes: Wishes): string {
  const word = wishes.image('hw_vif_model');
  return (
    oneOf(word === undefined ? undefined : (VIF_WORDS[word] ?? word), VIF_MODELS, 'interfaces of model') ?? 'virtio'
  );
}

function oneOf<T extends string>(word: string | undefined, known: readonly T[], what: string): T | undefined {
  if (word !== undefined && !known.includes(word as T)) throw refused(`${what} ${word.slice(0, 40)}`);
  return word as T | undefined;
}

function watchdogOf(wishes: Wishes): string | undefined {
  const action = wishes.image('hw_watchdog_action') ?? wishes.flavor('hw:watchdog_action');
  if (action === undefined || action === 'disabled') return undefined;
  return oneOf(action, WATCHDOG_ACTIONS, 'a watchdog with action');
}

const NO_RATE = { bytes: 0, periodMs: 0 };

function rngOf(wishes: Wishes): Hardware['rng'] {
  const model = wishes.image('hw_rng_model');
  if (model !== undefined && model !== 'virtio') throw refused(`sources of randomness of model ${model.slice(0, 40)}`);
  const allowed = wishes.flavor('hw_rng:allowed');
  if (allowed !== undefined && !/^(?:true|yes|on|1|t|y)$/i.test(allowed)) return undefined;
  const bytes = wishes.flavorNumber('hw_rng:rate_bytes') ?? 0;
  return bytes ? { bytes, periodMs: wishes.flavorNumber('hw_rng:rate_period') ?? 0 } : NO_RATE;
}

function videoOf(wishes: Wishes, able: MachineAbilities): Hardware['video'] {
  const model = wishes.image('hw_video_model');
  if (model !== undefined && !able.videoModels.includes(model)) throw refused(`video of model ${model.slice(0, 40)}`);
  const ram = wishes.imageNumber('hw_video_ram');
  const most = wishes.flavorNumber('hw_video:ram_max_mb') ?? 0;
  if (ram !== undefined && ram > most) throw refused(`${ram} MB of video memory, where its flavor allows ${most} MB`);
  return model === undefined ? undefined : { model, vramKib: ram ? ram * 1024 : undefined };
}
