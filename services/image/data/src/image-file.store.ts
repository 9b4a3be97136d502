/**
 * Image bytes on the local disk. A file's name is made of the image's id and the upload's id, both UUIDs of ours, so
 * nothing a tenant writes reaches a path and no two uploads ever meet in one file. Bytes come in under `incoming/` and
 * are renamed into `images/` complete and synced; nothing under `images/` is ever written to.
 */
import { createReadStream, type ReadStream } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, isUuid } from '#libs/kernel';
import { storageFull } from '#services/image/domain';
import type { Upload } from './upload.repo.js';

const FOLDERS = ['incoming', 'images'] as const;
export type Folder = (typeof FOLDERS)[number];

export interface StoredFile extends Upload {
  readonly folder: Folder;
  readonly size: number;
  readonly modifiedAt: Date;
}

/** The first and last byte, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const CHUNK = 256 << 10;

export class ImageFiles {
  constructor(
    private readonly root: string,
    /** Bytes of the disk that stay free whatever is uploaded: databases live on it too. */
    private readonly reserve: number,
  ) {}

  /** Makes the folders, for this user's eyes alone. */
  async prepare(): Promise<void> {
    for (const folder of FOLDERS) {
      await mkdir(join(this.root, folder), { recursive: true, mode: 0o700 });
      await chmod(join(this.root, folder), 0o700);
    }
  }

  private path(folder: Folder, { imageId, uploadId }: Upload): string {
    if (!isUuid(imageId) || !isUuid(uploadId)) throw new Error('a file is named by two UUIDs');
    return join(this.root, folder, `${imageId}.${uploadId}`);
  }

  /** Opens the file of a new upload for writing. */
  async begin(upload: Upload): Promise<IncomingFile> {
    return new IncomingFile(await storing(open(this.path('incoming', upload), 'wx+', 0o600)));
  }

  /** Opens the bytes that came in, to be looked at. */
  openIncoming(upload: Upload): Promise<FileHandle> {
    return present(upload, open(this.path('incoming', upload), 'r'));
  }

  /** Makes complete, synced bytes the image's file. */
  async publish(upload: Upload): Promise<void> {
    await present(upload, storing(rename(this.path('incoming', upload), this.path('images', upload))));
    await syncFolder(join(this.root, 'images'));
  }

  /** Removes whatever there is of an upload. */
  async remove(upload: Upload): Promise<void> {
    for (const folder of FOLDERS) await unlinkQuietly(this.path(folder, upload));
  }

  async removeFrom(folder: Folder, upload: Upload): Promise<void> {
    await unlinkQuietly(this.path(folder, upload));
  }

  /** The size of an image's file. Throws `unavailable` where it is not there. */
  async sizeOf(upload: Upload): Promise<number> {
    const found = await stat(this.path('images', upload)).catch(() => undefined);
    if (!found) throw fail.unavailable('The image data is not available at the moment.');
    return found.size;
  }

  read(upload: Upload, range?: ByteRange): ReadStream {
    return createReadStream(this.path('images', upload), { highWaterMark: CHUNK, ...range });
  }

  /** Throws `tooLarge` unless the disk can take that many bytes more. */
  async checkRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.root);
    if (bavail * bsize - this.reserve < bytes) throw storageFull();
  }

  /** Every file there is; names that are not ours are left alone. */
  async list(): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    for (const folder of FOLDERS) {
      for (const name of await readdir(join(this.root, folder))) {
        const [imageId = '', uploadId = '', ...rest] = name.split('.');
        if (rest.length || !isUuid(imageId) || !isUuid(uploadId)) continue;
        const found = await stat(join(this.root, folder, name)).catch(() => undefined);
        if (found) files.push({ imageId, uploadId, folder, size: found.size, modifiedAt: found.mtime });
      }
    }
    return files;
  }
}

/** A file that is being written, from its beginning to its end. */
export class IncomingFile {
  #size = 0;

  constructor(private readonly handle: FileHandle) {}

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      const { bytesWritten } = await storing(this.handle.write(chunk, done));
      done += bytesWritten;
    }
    this.#size += chunk.length;
  }

  /** Bytes written so far are on the disk. */
  async sync(): Promise<void> {
    await storing(this.handle.datasync());
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A full disk is a refusal that the client understands; any other error is ours. */
export async function storing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (FULL.has((error as NodeJS.ErrnoException).code ?? '')) throw storageFull(error);
    throw error;
  }
}

/** A file that vanished on the way: its image was deleted. */
async function present<T>({ imageId }: Upload, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw fail.gone(`Image ${imageId} was deleted during the upload.`, { cause: error });
  }
}

async function unlinkQuietly(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
