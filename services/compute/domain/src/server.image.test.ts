import { expect, it } from 'vitest';
import { hasEncryptedDisk } from './server.encryption.js';
import { imageOf, offShelf, ontoShelf, quiesceOf, shelfOf } from './server.image.js';
import type { Server } from './server.js';

const server = (properties: Record<string, string>, extraSpecs: Record<string, string> = {}): Server =>
  ({
    ...{ id: 's1', projectId: 'p1', imageId: 'base', host: 'node-1', systemMetadata: { kept: 'x' } },
    flavor: { diskGb: 5, extraSpecs },
    image: { properties },
  }) as unknown as Server;
const wish = { imageId: 'i1', name: 'n', type: 'snapshot', metadata: {}, userId: 'u1', minRamMb: 64 } as const;

it('inherits what still holds for the copy, and nothing that names the original alone', () => {
  const inherited = { hw_disk_bus: 'scsi', img_signature: 's', os_glance_x: 'y', cache_in_nova: 'true' };
  const image = imageOf(server(inherited), wish);
  expect(image).toMatchObject({ imageId: 'i1', owner: 'p1', name: 'n', minDiskGb: 5, minRamMb: 64 });
  expect(Object.keys(image.properties).sort()).toEqual([
    ...['base_image_ref', 'hw_disk_bus', 'image_location', 'image_state', 'image_type', 'instance_uuid'],
    ...['owner_id', 'user_id'],
  ]);
});

it('lets the tenant set properties, but not those by which backups are told apart', () => {
  const metadata = { hw_disk_bus: 'virtio', instance_uuid: 'other', backup_type: 'weekly', mine: '1' };
  const { properties } = imageOf(server({ hw_disk_bus: 'scsi' }), {
    ...{ ...wish, metadata, type: 'backup', backupType: 'daily' },
  });
  const snapshot = imageOf(server({}), { ...wish, metadata: { image_type: 'test' } });
  expect(snapshot.properties).toMatchObject({ image_type: 'test', instance_uuid: 's1' });
  expect(properties).toMatchObject({
    ...{ hw_disk_bus: 'virtio', mine: '1', image_type: 'backup', instance_uuid: 's1', backup_type: 'daily' },
  });
});

it('remembers the shelf until the server has left it', () => {
  const at = new Date('2026-01-02T03:04:05.000Z');
  expect(shelfOf(server({}))).toBeUndefined();
  const systemMetadata = ontoShelf(server({}), { imageId: 'i1', at });
  expect(shelfOf({ systemMetadata })).toEqual({ imageId: 'i1', at });
  expect(offShelf({ systemMetadata })).toEqual({ kept: 'x' });
});

it.each([
  [{}, ''],
  [{ hw_qemu_guest_agent: 'yes' }, 'try'],
  [{ hw_qemu_guest_agent: 'no' }, ''],
  [{ hw_qemu_guest_agent: 'yes', os_require_quiesce: 'yes' }, 'require'],
])('freezes file systems by %j: %j', (properties, quiesce) => {
  expect(quiesceOf(server(properties))).toBe(quiesce);
});

it('knows which disks are encrypted', () => {
  expect(hasEncryptedDisk(server({}))).toBe(false);
  expect(hasEncryptedDisk(server({ hw_ephemeral_encryption: 'false' }))).toBe(false);
  expect(hasEncryptedDisk(server({ hw_ephemeral_encryption: 'True' }))).toBe(true);
  expect(hasEncryptedDisk(server({}, { 'hw:ephemeral_encryption': 'true' }))).toBe(true);
});
