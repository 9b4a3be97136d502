/**
 * A server as an image: what the image is called, what it inherits from the image the server was made from, and what is
 * written down about the shelf that a server lies on. Pure.
 */
import type { Server } from './server.js';

/** An image to be registered; its id is chosen before anything is made. */
export interface ImageDraft {
  readonly imageId: string;
  readonly owner: string;
  readonly name: string;
  readonly minDiskGb: number;
  readonly minRamMb: number;
  readonly properties: Readonly<Record<string, string>>;
}

export interface ImageWish {
  readonly imageId: string;
  readonly name: string;
  readonly type: 'snapshot' | 'backup';
  /** The tenant's own properties. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Who asks. */
  readonly userId: string;
  /** Of the image that the server was made from. */
  readonly minRamMb: number;
  readonly backupType?: string;
}

/** Every disk is copied into one self-contained file of this format. */
export const SNAPSHOT_FORMAT = 'qcow2';

/** Properties that say something of the original's bytes alone. */
const NOT_INHERITED = new Set([
  'bittorrent',
  'cache_in_nova',
  'cinder_encryption_key_deletion_policy',
  'cinder_encryption_key_id',
  'img_signature',
  'img_signature_certificate_uuid',
  'img_signature_hash_method',
  'img_signature_key_type',
]);
/** Of the image service alone. */
const RESERVED_NAMESPACE = 'os_glance_';

/** The tenant's own properties come last, but for those by which backups are told apart: rotation goes by them. */
export function imageOf(server: Server, wish: ImageWish): ImageDraft {
  const inherited = Object.entries(server.image?.properties ?? {}).filter(
    ([name]) => !NOT_INHERITED.has(name) && !name.startsWith(RESERVED_NAMESPACE),
  );
  const names = { image_type: wish.type, instance_uuid: server.id, user_id: wish.userId };
  const own = wish.type === 'snapshot' ? { ...names, ...wish.metadata } : { ...wish.metadata, ...names };
  return {
    imageId: wish.imageId,
    owner: server.projectId,
    name: wish.name,
    minDiskGb: server.flavor.diskGb,
    minRamMb: wish.minRamMb,
    properties: {
      ...Object.fromEntries(inherited),
      base_image_ref: server.imageId ?? '',
      image_location: 'snapshot',
      image_state: 'available',
      owner_id: server.projectId,
      ...own,
      ...(wish.backupType === undefined ? {} : { backup_type: wish.backupType }),
    },
  };
}

/** As the system metadata of a shelved server has it. */
export interface Shelf {
  readonly imageId: string;
  readonly at: Date;
}

const SHELF_KEYS = ['shelved_image_id', 'shelved_at', 'shelved_host'] as const;

export function shelfOf({ systemMetadata }: Pick<Server, 'systemMetadata'>): Shelf | undefined {
  const { shelved_image_id: imageId, shelved_at: at } = systemMetadata;
  return imageId === undefined ? undefined : { imageId, at: new Date(at ?? 0) };
}

/** The system metadata once the server lies on that shelf. */
export const ontoShelf = (
  { systemMetadata, host }: Pick<Server, 'systemMetadata' | 'host'>,
  { imageId, at }: Shelf,
): Record<string, string> => ({
  ...systemMetadata,
  shelved_image_id: imageId,
  shelved_at: at.toISOString(),
  shelved_host: host ?? '',
});

/** The system metadata once it has left the shelf. */
export const offShelf = ({ systemMetadata }: Pick<Server, 'systemMetadata'>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(systemMetadata).filter(([name]) => !(SHELF_KEYS as readonly string[]).includes(name)),
  );

/** Whether the guest's file systems are frozen for the moment of the copy: not at all, where possible, or by all means. */
export function quiesceOf({ image }: Pick<Server, 'image'>): '' | 'try' | 'require' {
  const yes = (name: string): boolean => /^(true|1|yes|on)$/i.test(image?.properties[name]?.trim() ?? '');
  if (yes('os_require_quiesce')) return 'require';
  return yes('hw_qemu_guest_agent') ? 'try' : '';
}
