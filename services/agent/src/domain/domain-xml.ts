/**
 * A server as libvirt's domain. Invariants: every image in the chain is named with its format and the chain is closed
 * explicitly, so nothing that a guest wrote is ever probed; the domain's uuid is the server's id; free text of a tenant
 * appears only as escaped text of our own metadata element, never as a name, a path or an option. What the machine is made
 * of was decided before (hardware/hardware.ts); here it is only written down.
 */
import type { Accel } from '../kvm/probe.js';
import { devices, networkInterface } from './devices-xml.js';
import type { DisksInput } from './disks-xml.js';
import { clock, cpuTuning, features, memoryBacking, memoryTuning, processor, vcpus } from './processor-xml.js';
import { type Element, element, toXml } from './xml.js';

export interface DomainNic {
  readonly portId: string;
  readonly mac: string;
  readonly mtu: number;
}

export interface DomainInput extends DisksInput {
  readonly serverId: string;
  /** Free text of the tenant. */
  readonly displayName: string;
  readonly projectId: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly accel: Accel;
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
      memoryBacking(input.hardware.layout),
      vcpus(input),
      cpuTuning(input.hardware),
      memoryTuning(input.hardware.layout),
      element('sysinfo', { type: 'smbios' }, systemInfo(input.serverId)),
      operatingSystem(input),
      features(input),
      processor(input),
      clock(input),
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

/** Left to itself, libvirt would choose firmware with secure boot and enrolled keys, so each is said. */
function operatingSystem({ hardware, rescue }: DomainInput): Element {
  const { machine, firmware, bootMenu } = hardware;
  const enabled = firmware?.secureBoot ? 'yes' : 'no';
  return element(
    'os',
    { firmware: firmware ? 'efi' : undefined },
    element('type', { arch: 'x86_64', machine }, 'hvm'),
    firmware
      ? element('firmware', {}, [
          element('feature', { enabled, name: 'secure-boot' }),
          element('feature', { enabled, name: 'enrolled-keys' }),
        ])
      : undefined,
    firmware?.secureBoot || firmware?.stateless
      ? element('loader', {
          secure: firmware.secureBoot ? 'yes' : undefined,
          stateless: firmware.stateless ? 'yes' : undefined,
        })
      : undefined,
    rescue?.beside ? undefined : element('boot', { dev: 'hd' }),
    bootMenu ? element('bootmenu', { enable: 'yes', timeout: 5_000 }) : undefined,
    element('smbios', { mode: 'sysinfo' }),
  );
}

/** An interface alone, to be plugged into or out of a running guest. */
export const interfaceXml = (nic: DomainNic, input: Pick<DomainInput, 'bridge' | 'hardware'>): string =>
  toXml(networkInterface(nic, input.bridge, input.hardware));
