/** What is done with a guest from within, by its agent. Pure. */
import type { ImageSnapshot } from './server.js';

type Image = Pick<ImageSnapshot, 'properties'> | null;

const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

/** True where the image says that its guests run QEMU's agent. */
export const hasGuestAgent = (image: Image): boolean =>
  TRUE.has((image?.properties['hw_qemu_guest_agent'] ?? '').trim().toLowerCase());

/** Whose password is meant when a server's password is changed. */
export function adminUserOf(image: Image): string {
  const named = image?.properties['os_admin_user'];
  if (named) return named;
  return image?.properties['os_type'] === 'windows' ? 'Administrator' : 'root';
}
