/** Which images may receive bytes, and how many. Whether the bytes are what they claim is the gate's to say. */
import { fail } from '#libs/kernel';
import type { DiskFormat, Image } from './image.js';

/** Formats that the gate can judge. */
export const UPLOADABLE: readonly DiskFormat[] = ['raw', 'qcow2', 'iso', 'ami', 'ari', 'aki'];

export interface UploadFormats {
  readonly diskFormat: DiskFormat;
}

/** The declared format. Throws where the image can not become active as it is declared. */
export function checkUploadFormats(image: Pick<Image, 'diskFormat' | 'containerFormat'>): UploadFormats {
  const { diskFormat, containerFormat } = image;
  if (!diskFormat || !containerFormat)
    throw fail.invalid('Properties disk_format and container_format must be set before the image data is uploaded.');
  const plain = containerFormat === 'bare' || containerFormat === diskFormat;
  if (!plain || !UPLOADABLE.includes(diskFormat))
    throw fail.unsupportedMedia(
      `Image data of disk_format ${diskFormat} in container_format ${containerFormat} is not supported here; upload raw or qcow2 in bare.`,
    );
  return { diskFormat };
}

export interface QuotaLimits {
  /** Images per project; negative for no limit. */
  readonly images: number;
  /** Bytes per project; negative for no limit. */
  readonly bytes: number;
}

export const overCount = (limits: QuotaLimits): Error =>
  fail.overQuota(`Project is over its image quota: it may have at most ${limits.images} images.`);
export const overBytes = (limits: QuotaLimits): Error =>
  fail.overQuota(`Image exceeds the storage quota: the project may store at most ${limits.bytes} bytes.`);
export const overSize = (max: number): Error =>
  fail.tooLarge(`The incoming image is too large: images may have at most ${max} bytes.`);
export const storageFull = (cause?: unknown): Error =>
  fail.tooLarge('Image storage media is full.', cause === undefined ? {} : { cause });
