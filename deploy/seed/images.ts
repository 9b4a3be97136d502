/**
 * The two small public images. One that was left half uploaded is replaced, and so is one whose bytes are not those of the
 * file any more: the new one takes its name, and the old one goes, or is hidden where servers were made of it.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Session } from './session.js';

export const IMAGES = ['tiny', 'tiny-alt'] as const;

interface Image {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly owner: string;
  readonly os_hidden: boolean;
  readonly os_hash_value: string | null;
}

export async function seedImages(admin: Session, folder: string): Promise<void> {
  for (const name of IMAGES) await seedImage(admin, name, join(folder, `${name}.qcow2`));
  // Those that had to stay at an earlier time.
  for (const name of IMAGES) for (const old of await listed(admin, name, '&os_hidden=true')) await retire(admin, old);
}

/** Public ones of that name. */
async function listed(admin: Session, name: string, more = ''): Promise<Image[]> {
  const query = `name=${name}&visibility=public${more}`;
  return (await admin.ask<{ images: Image[] }>('GET', `/image/v2/images?${query}`)).images;
}

async function seedImage(admin: Session, name: string, file: string): Promise<void> {
  const images = await listed(admin, name);
  const hash = await sha512Of(file);
  // One that somebody else has published under the name is what there shall be.
  if (images.some((image) => image.status === 'active' && isKept(image, admin, hash))) return;
  const image = await admin.ask<Image>('POST', '/image/v2/images', {
    name,
    disk_format: 'qcow2',
    container_format: 'bare',
    visibility: 'public',
    min_ram: 64,
    // What is inside: an agent, and the user as whom one logs in.
    hw_qemu_guest_agent: 'yes',
    os_admin_user: 'tiny',
  });
  await admin.upload(`/image/v2/images/${image.id}/file`, file);
  for (const old of images) await retire(admin, old);
}

const isKept = ({ owner, os_hash_value }: Image, admin: Session, hash: string): boolean =>
  owner !== admin.projectId || os_hash_value === hash;

/** What somebody else has published is left alone. */
async function retire(admin: Session, { id, status, owner, os_hidden }: Image): Promise<void> {
  if (owner !== admin.projectId) return;
  const query = `/compute/v2.1/servers?all_tenants=1&limit=1&image=${id}`;
  const inUse = status === 'active' && (await admin.ask<{ servers: unknown[] }>('GET', query)).servers.length > 0;
  if (!inUse) return admin.ask('DELETE', `/image/v2/images/${id}`);
  if (!os_hidden)
    await admin.ask('PATCH', `/image/v2/images/${id}`, [{ op: 'replace', path: '/os_hidden', value: true }], PATCH);
}

const PATCH = 'application/openstack-images-v2.1-json-patch';

async function sha512Of(file: string): Promise<string> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
