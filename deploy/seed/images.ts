/** The two small public images. One that was left half uploaded is replaced; a whole one is never touched. */
import { join } from 'node:path';
import type { Session } from './session.js';

export const IMAGES = ['tiny', 'tiny-alt'] as const;

interface Image {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly visibility: string;
}

export async function seedImages(admin: Session, folder: string): Promise<void> {
  for (const name of IMAGES) await seedImage(admin, name, join(folder, `${name}.qcow2`));
}

async function seedImage(admin: Session, name: string, file: string): Promise<void> {
  const { images } = await admin.ask<{ images: Image[] }>('GET', `/image/v2/images?name=${name}&visibility=public`);
  if (images.some((image) => image.status === 'active')) return;
  for (const { id } of images) await admin.ask('DELETE', `/image/v2/images/${id}`);
  const image = await admin.ask<Image>('POST', '/image/v2/images', {
    name,
    disk_format: 'qcow2',
    container_format: 'bare',
    visibility: 'public',
    min_ram: 64,
  });
  await admin.upload(`/image/v2/images/${image.id}/file`, file);
}
