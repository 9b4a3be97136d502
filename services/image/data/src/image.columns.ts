/** The columns of an image as the domain names them, and the SQL of what a caller may see. */
import type { Image } from '#services/image/domain';

export const IMAGE_COLUMNS = `i.id, i.name, i.status, i.visibility, i.owner, i.disk_format as "diskFormat",
  i.container_format as "containerFormat", i.size, i.virtual_size as "virtualSize", i.min_disk as "minDisk",
  i.min_ram as "minRam", i.protected, i.hidden, i.checksum, i.hash_algo as "hashAlgo", i.hash_value as "hashValue",
  i.sha256, i.properties, i.tags, i.created_at as "createdAt", i.updated_at as "updatedAt", i.revision`;

/** An image together with what a request needs to know beside it. */
export interface StoredImage extends Image {
  /** Whether the asking project is a member of the image. */
  readonly isMember: boolean;
  /** The upload that its bytes came with, or that is running. */
  readonly uploadId: string | null;
}

/** Who lists: everything for an administrator, else what the project owns or may see. */
export interface Viewer {
  readonly projectId: string;
  readonly all: boolean;
}
