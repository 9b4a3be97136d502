/**
 * A server as libvirt's domain. Invariants: every image in the chain is named with its format and the chain is closed
 * explicitly, so nothing that a guest wrote is ever probed; the domain's uuid is the server's id; free text of a tenant
 * appears only as escaped text of our own metadata element, never as a name, a path or an option.
 */
import type { Accel } from '../kvm/probe.js';
import { type Element, element, toXml } from './xml.js';

export interface DomainNic {
  readonly portId: string;
  readonly mac: string;
  readonly mtu: number;
}

/** A qcow2 overlay, and the base below it. */
export interface DiskFile {
  readonly path: string;
  readonly basePath: string;
  readonly baseFormat: 'qcow2' | 'raw';
}

/** What the guest boots from instead of its own disk. */
export interface RescueInput {
  readonly disk: DiskFile;
  /** Beside the server's own devices, which keep their names; undefined: before them, in the root disk's place. */
  readonly beside:
    | { readonly device: 'disk' | 'cdrom'; readonly bus: 'virtio' | 'scsi' | 'ide' | 'sata' | 'usb' }
    | undefined;
}

export interface DomainInput {
  readonly serverId: string;
  /** Free text of the tenant. */
  readonly displayName: string;
  readonly projectId: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly accel: Accel;
  readonly disk: DiskFile;
  readonly rescue?: RescueInput | undefined;
  readonly configDrive?: string | undefined;
  readonly nics: readonly DomainNic[];
  readonly bridge: string;
  readonly consoleLog: string;
}

const METADATA_NAMESPACE = 'urn:yagura:server:1';
const PREFIX = 'instance-';

export const domainName = (serverId: string): string => `${PREFIX}${serverId}`;
/** True when the name says that the domain is one of ours. */
export const isOurs = (name: string, uuid: string): boolean => name === domainName(uuid);
/** Device name of a port's tap; interface names end at 15 characters. */
export const tapName = (portId: string): string => `tap${portId.slice(0, 11)}`;

export function domainXml(input: DomainInput): string {
  return toXml(
    element(
      'domain',
      { type: input.accel === 'kvm' ? 'kvm' : 'qemu' },
      element('name', {}, domainName(input.serverId)),
      element('uuid', {}, input.serverId),
      metadata(input),
      element('memory', { unit: 'MiB' }, input.memoryMb),
      element('vcpu', {}, input.vcpus),
      element('sysinfo', { type: 'smbios' }, systemInfo(input.serverId)),
      element(
        'os',
        {},
        element('type', { arch: 'x86_64', machine: 'pc' }, 'hvm'),
        input.rescue?.beside ? undefined : element('boot', { dev: 'hd' }),
        element('smbios', { mode: 'sysinfo' }),
      ),
      features(input),
      processor(input),
      element('clock', { offset: 'utc' }, ...timers(input.accel)),
      element('on_poweroff', {}, 'destroy'),
      element('on_reboot', {}, 'restart'),
      element('on_crash', {}, 'destroy'),
      element('devices', {}, devices(input)),
    ),
  );
}

const metadata = (input: DomainInput): Element =>
  element(
    'metadata',
    {},
    element(
      'yagura:server',
      { 'xmlns:yagura': METADATA_NAMESPACE },
      element('yagura:name', {}, input.displayName),
      element('yagura:project', {}, input.projectId),
    ),
  );

/** What cloud-init looks for before it asks for OpenStack's metadata. */
function systemInfo(serverId: string): Element {
  const entries = {
    manufacturer: 'OpenStack Foundation',
    product: 'OpenStack Nova',
    serial: serverId,
    uuid: serverId,
    family: 'Virtual Machine',
  };
  return element(
    'system',
    {},
    Object.entries(entries).map(([name, value]) => element('entry', { name }, value)),
  );
}

/** Emulation translates into a cache that would otherwise grow to a gigabyte. */
function features(input: DomainInput): Element {
  const cacheMib = input.memoryMb <= 1024 ? 64 : 256;
  const tcg = element('tcg', {}, element('tb-cache', { unit: 'MiB' }, cacheMib));
  return element('features', {}, element('acpi'), element('apic'), input.accel === 'tcg' ? tcg : undefined);
}

function processor(input: DomainInput): Element {
  const topology = element('topology', { sockets: input.vcpus, dies: 1, cores: 1, threads: 1 });
  if (input.accel === 'kvm') return element('cpu', { mode: 'host-model', check: 'partial' }, topology);
  // Five-level paging costs an emulated guest dearly and gives it nothing.
  return element('cpu', { mode: 'maximum' }, topology, element('feature', { policy: 'disable', name: 'la57' }));
}

function timers(accel: Accel): Element[] {
  const list = [
    element('timer', { name: 'rtc', tickpolicy: 'catchup' }),
    element('timer', { name: 'hpet', present: 'no' }),
  ];
  return accel === 'kvm' ? [...list, element('timer', { name: 'pit', tickpolicy: 'delay' })] : list;
}

function devices(input: DomainInput): Element[] {
  return [
    ...disks(input),
    ...(input.configDrive || input.rescue?.beside?.bus === 'scsi' ? [scsi] : []),
    ...(input.configDrive ? [configDrive(input.configDrive)] : []),
    ...input.nics.map((nic) => networkInterface(nic, input.bridge)),
    element('controller', { type: 'usb', model: input.rescue?.beside?.bus === 'usb' ? 'qemu-xhci' : 'none' }),
    serial(input.consoleLog),
    // The screen: on a socket in libvirt's folder, where no network reaches it.
    element('graphics', { type: 'vnc' }, element('listen', { type: 'socket' })),
    element('video', {}, element('model', { type: 'vga' })),
    element('memballoon', { model: 'virtio' }),
    element('rng', { model: 'virtio' }, element('backend', { model: 'random' }, '/dev/urandom')),
  ];
}

interface Place {
  readonly dev: string;
  readonly bus: string;
  readonly device?: 'disk' | 'cdrom';
  /** The guest boots from it. */
  readonly first?: boolean;
}

/** A second disk comes after what may have the first name of its bus: the root disk, the config drive. */
const SECOND = { virtio: 'vdb', scsi: 'sdb', sata: 'sdb', usb: 'sdb', ide: 'hda' } as const;

function disks({ disk, rescue }: DomainInput): Element[] {
  const first = { dev: 'vda', bus: 'virtio' };
  if (!rescue) return [fileDisk(disk, first)];
  const { beside } = rescue;
  if (!beside) return [fileDisk(rescue.disk, first), fileDisk(disk, { dev: 'vdb', bus: 'virtio' })];
  return [fileDisk(disk, first), fileDisk(rescue.disk, { ...beside, dev: SECOND[beside.bus], first: true })];
}

const fileDisk = (disk: DiskFile, { dev, bus, device = 'disk', first = false }: Place): Element =>
  element(
    'disk',
    { type: 'file', device },
    element('driver', { name: 'qemu', type: 'qcow2', cache: 'writeback', discard: 'unmap' }),
    element('source', { file: disk.path }),
    element(
      'backingStore',
      { type: 'file' },
      element('format', { type: disk.baseFormat }),
      element('source', { file: disk.basePath }),
      element('backingStore'),
    ),
    element('target', { dev, bus }),
    device === 'cdrom' ? element('readonly') : undefined,
    first ? element('boot', { order: 1 }) : undefined,
  );

/** On virtio-scsi: Debian's cloud kernel has no AHCI. */
const scsi = element('controller', { type: 'scsi', index: 0, model: 'virtio-scsi' });

const configDrive = (path: string): Element =>
  element(
    'disk',
    { type: 'file', device: 'cdrom' },
    element('driver', { name: 'qemu', type: 'raw' }),
    element('source', { file: path }),
    element('backingStore'),
    element('target', { dev: 'sda', bus: 'scsi' }),
    element('readonly'),
  );

const networkInterface = (nic: DomainNic, bridge: string): Element =>
  element(
    'interface',
    { type: 'bridge' },
    element('mac', { address: nic.mac }),
    element('source', { bridge }),
    element('virtualport', { type: 'openvswitch' }, element('parameters', { interfaceid: nic.portId })),
    element('target', { dev: tapName(nic.portId) }),
    element('model', { type: 'virtio' }),
    nic.mtu > 0 ? element('mtu', { size: nic.mtu }) : undefined,
  );

/** An interface alone, to be plugged into or out of a running guest. */
export const interfaceXml = (nic: DomainNic, bridge: string): string => toXml(networkInterface(nic, bridge));

/** virtlogd writes the file and limits its size; QEMU never holds it. */
const serial = (log: string): Element =>
  element(
    'serial',
    { type: 'pty' },
    element('log', { file: log, append: 'on' }),
    element('target', { type: 'isa-serial', port: 0 }),
  );
