/** Devices of a domain. */
import type { Hardware } from '../hardware/hardware.js';
import { busesOf, disks } from './disks-xml.js';
import { type DomainInput, type DomainNic, tapName } from './domain-xml.js';
import { type Element, element } from './xml.js';

export function devices(input: DomainInput): Element[] {
  const { hardware } = input;
  return [
    ...disks(input),
    ...input.nics.map((nic) => networkInterface(nic, input.bridge, hardware)),
    usbController(input),
    ...serials(input.consoleLog, hardware.serialPorts),
    ...(hardware.guestAgent ? [guestAgent()] : []),
    ...(hardware.tablet ? [element('input', { type: 'tablet', bus: hardware.tablet })] : []),
    ...(hardware.tpm ? [tpm(hardware.tpm)] : []),
    // The screen: on a socket in libvirt's folder, where no network reaches it.
    element('graphics', { type: 'vnc' }, element('listen', { type: 'socket' })),
    video(hardware.video),
    ...(hardware.watchdog ? [element('watchdog', { model: 'i6300esb', action: hardware.watchdog })] : []),
    element('memballoon', { model: 'virtio' }),
    ...(hardware.rng ? [rng(hardware.rng)] : []),
  ];
}

function usbController(input: DomainInput): Element {
  const needed = input.hardware.tablet === 'usb' || busesOf(input).has('usb');
  return element('controller', { type: 'usb', model: needed ? 'qemu-xhci' : 'none' });
}

export function networkInterface(nic: DomainNic, bridge: string, { vifModel, queues, packedRing }: Hardware): Element {
  const virtio = vifModel === 'virtio';
  const driver = {
    queues: virtio && queues > 1 ? queues : undefined,
    packed: virtio && packedRing ? 'on' : undefined,
  };
  return element(
    'interface',
    { type: 'bridge' },
    element('mac', { address: nic.mac }),
    element('source', { bridge }),
    element('virtualport', { type: 'openvswitch' }, element('parameters', { interfaceid: nic.portId })),
    element('target', { dev: tapName(nic.portId) }),
    element('model', { type: vifModel }),
    driver.queues || driver.packed ? element('driver', driver) : undefined,
    nic.mtu > 0 ? element('mtu', { size: nic.mtu }) : undefined,
  );
}

/** virtlogd writes the first one's file and limits its size; QEMU never holds it. */
const serials = (log: string, count: number): Element[] =>
  Array.from({ length: count }, (_, port) =>
    element(
      'serial',
      { type: 'pty' },
      port === 0 ? element('log', { file: log, append: 'on' }) : undefined,
      element('target', { type: 'isa-serial', port }),
    ),
  );

const guestAgent = (): Element =>
  element('channel', { type: 'unix' }, element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' }));

/** swtpm plays it, with its state beside libvirt's own. */
const tpm = ({ model, version }: NonNullable<Hardware['tpm']>): Element =>
  element('tpm', { model }, element('backend', { type: 'emulator', version }));

const video = (asked: Hardware['video']): Element =>
  element('video', {}, element('model', { type: asked?.model ?? 'vga', vram: asked?.vramKib }));

const rng = ({ bytes, periodMs }: NonNullable<Hardware['rng']>): Element =>
  element(
    'rng',
    { model: 'virtio' },
    bytes ? element('rate', { bytes, period: periodMs || undefined }) : undefined,
    element('backend', { model: 'random' }, '/dev/urandom'),
  );
