import { expect, it } from 'vitest';
import { canRescue } from './server.rescue.js';

it.each([
  [{}, true],
  [{ hw_rescue_device: 'disk' }, true],
  [{ hw_rescue_device: 'cdrom', hw_rescue_bus: 'scsi' }, true],
  [{ hw_rescue_device: 'cdrom' }, true],
  [{ hw_rescue_bus: 'usb' }, true],
  [{ hw_rescue_device: 'cdrom', hw_rescue_bus: 'virtio' }, false],
  [{ hw_rescue_device: 'floppy' }, false],
  [{ hw_rescue_bus: 'nvme' }, false],
])('an image with %j', (properties, able) => {
  expect(canRescue(properties as Record<string, string>)).toBe(able);
});
