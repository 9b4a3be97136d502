/**
 * What an image is. Its bytes never change once it is active: size, hashes and formats belong to the bytes and are
 * written by the upload alone; everything else may be edited by its owner.
 */

export const IMAGE_STATUSES = ['queued', 'saving', 'active', 'deactivated', 'deleted'] as const;
export type ImageStatus = (typeof IMAGE_STATUSES)[number];

/** Statuses that the API documents, ours among them: `killed` and the like never occur here. */
export const DOCUMENTED_STATUSES = [
  'queued',
  'saving',
  'active',
  'killed',
  'deleted',
  'uploading',
  'importing',
  'pending_delete',
  'deactivated',
] as const;

export const VISIBILITIES = ['community', 'public', 'private', 'shared'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** Formats that an image may be registered with. Which of them may carry bytes is `UPLOADABLE`. */
export const DISK_FORMATS = [
  'ami',
  'ari',
  'aki',
  'vhd',
  'vhdx',
  'vmdk',
  'raw',
  'qcow2',
  'vdi',
  'iso',
  'ploop',
] as const;
export type DiskFormat = (typeof DISK_FORMATS)[number];

export const CONTAINER_FORMATS = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'] as const;
export type ContainerFormat = (typeof CONTAINER_FORMATS)[number];

export interface Image {
  readonly id: string;
  readonly name: string | null;
  readonly status: ImageStatus;
  readonly visibility: Visibility;
  /** The project. */
  readonly owner: string;
  readonly diskFormat: DiskFormat | null;
  readonly containerFormat: ContainerFormat | null;
  /** Bytes as stored; null without bytes. */
  readonly size: number | null;
  /** Bytes as a disk. */
  readonly virtualSize: number | null;
  readonly minDisk: number;
  readonly minRam: number;
  readonly protected: boolean;
  readonly hidden: boolean;
  /** md5, hex. */
  readonly checksum: string | null;
  readonly hashAlgo: string | null;
  readonly hashValue: string | null;
  readonly sha256: string | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Rises with each write; an edit holds only against the revision it was made from. */
  readonly revision: number;
}

/** What the owner may edit. */
export interface Editable {
  readonly name: string | null;
  readonly visibility: Visibility;
  readonly owner: string;
  readonly diskFormat: DiskFormat | null;
  readonly containerFormat: ContainerFormat | null;
  readonly minDisk: number;
  readonly minRam: number;
  readonly protected: boolean;
  readonly hidden: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

export interface NewImage extends Editable {
  readonly id: string;
}

/** A project to which a shared image was offered. */
export const MEMBER_STATUSES = ['pending', 'accepted', 'rejected'] as const;
export type MemberStatus = (typeof MEMBER_STATUSES)[number];

export interface Member {
  readonly imageId: string;
  /** The project. */
  readonly memberId: string;
  readonly status: MemberStatus;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** True when a project that is neither the owner nor an administrator may see the image. */
export const seenByOthers = (image: { readonly visibility: Visibility }, isMember: boolean): boolean =>
  image.visibility === 'public' || image.visibility === 'community' || (image.visibility === 'shared' && isMember);
