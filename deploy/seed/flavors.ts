/** The flavors of a small cloud. */
import type { Session } from './session.js';

/** Memory in MiB, disk in GiB. */
export const FLAVORS = [
  { id: '1', name: 'm1.nano', ram: 128, vcpus: 1, disk: 1 },
  { id: '2', name: 'm1.micro', ram: 192, vcpus: 1, disk: 1 },
  { id: '3', name: 'm1.tiny', ram: 512, vcpus: 1, disk: 1 },
  { id: '4', name: 'm1.small', ram: 2048, vcpus: 2, disk: 10 },
] as const;

export async function seedFlavors(admin: Session): Promise<void> {
  const { flavors } = await admin.ask<{ flavors: { name: string }[] }>('GET', '/compute/v2.1/flavors?is_public=None');
  for (const flavor of FLAVORS) {
    if (!flavors.some(({ name }) => name === flavor.name)) await admin.ask('POST', '/compute/v2.1/flavors', { flavor });
  }
}
