/** Which images a server can be rescued from. */
const DEVICES: ReadonlySet<string> = new Set(['disk', 'cdrom']);
const BUSES: ReadonlySet<string> = new Set(['virtio', 'scsi', 'ide', 'sata', 'usb']);

/** Whether nodes can attach an image as it says that it wants to be attached for a rescue. */
export function canRescue(properties: Readonly<Record<string, string>>): boolean {
  const { hw_rescue_device: device = 'disk', hw_rescue_bus: bus = 'virtio' } = properties;
  return DEVICES.has(device) && BUSES.has(bus) && !(device === 'cdrom' && properties['hw_rescue_bus'] === 'virtio');
}
