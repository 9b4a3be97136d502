/**
 * Base images on this node, by image id and SHA-256. A file under its final name is complete and was checked: bytes go
 * to a `.part` file, are counted and hashed on the way, and only a rename makes them an image. Any number of servers
 * wait for one download; it is given up when the last of them has left. Images that no server uses are removed when
 * they have been unused for long, or at once when room is needed.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, isFailure } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { faultOfQcow2 } from './qcow2-header.js';
import type { DiskFormat } from './qemu-img.js';

export interface ImageRequest {
  readonly imageId: string;
  readonly url: string;
  /** Hex. */
  readonly sha256: string;
  readonly size: number;
  readonly format: DiskFormat;
}

export interface ImageCacheOptions {
  readonly folder: string;
  readonly log: Log;
  /** Milliseconds without a byte after which a download is given up. */
  readonly idleMs?: number;
  /** Bytes that are never used up by downloads. */
  readonly reserveBytes?: number;
}

interface Download {
  readonly result: Promise<string>;
  readonly abort: AbortController;
  waiting: number;
}

const IMAGE_ID = /^[0-9a-zA-Z-]{1,64}$/;
const SHA256 = /^[0-9a-f]{64}$/;

export class ImageCache {
  readonly #options: ImageCacheOptions;
  readonly #downloads = new Map<string, Download>();
  #parts = 0;

  constructor(options: ImageCacheOptions) {
    this.#options = options;
  }

  /** Removes what an interrupted download left. */
  async start(): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o711 });
    for (const name of await readdir(this.#options.folder)) {
      if (name.endsWith('.part')) await rm(join(this.#options.folder, name), { force: true });
    }
  }

  /** Where an image is or will be. */
  pathOf(image: Pick<ImageRequest, 'imageId' | 'sha256' | 'format'>): string {
    if (!IMAGE_ID.test(image.imageId) || !SHA256.test(image.sha256))
      throw fail.invalid('the image is not named by an id and a SHA-256');
    return join(this.#options.folder, `${image.imageId}-${image.sha256.slice(0, 16)}.${image.format}`);
  }

  /**
   * The path of the checked base image, downloading it where needed. Throws `unavailable` (worth another try, perhaps
   * with a fresh URL), `conflict` (the bytes are not the image) or `overQuota` (no room). Aborting leaves others waiting.
   */
  async acquire(image: ImageRequest, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const path = this.pathOf(image);
    if (await this.touch(image)) return path;
    signal.throwIfAborted();
    const download = this.#downloads.get(path) ?? this.#begin(path, image);
    return this.#join(download, signal);
  }

  /** Whether an image is here; one that is counts as used just now. */
  async touch(image: Pick<ImageRequest, 'imageId' | 'sha256' | 'format'>): Promise<boolean> {
    const path = this.pathOf(image);
    if (!(await stat(path).catch(() => undefined))) return false;
    const now = new Date();
    await utimes(path, now, now);
    return true;
  }

  /** Removes images that nobody uses and nobody has used for `unusedMs`; returns how many. */
  async evict(inUse: ReadonlySet<string>, unusedMs: number): Promise<number> {
    let removed = 0;
    for (const name of await readdir(this.#options.folder)) {
      const path = join(this.#options.folder, name);
      if (name.endsWith('.part') || inUse.has(path)) continue;
      const seen = await stat(path).catch(() => undefined);
      if (!seen || Date.now() - seen.mtimeMs < unusedMs) continue;
      await rm(path, { force: true });
      removed += 1;
      this.#options.log.info({ image: name }, 'an unused image was removed');
    }
    return removed;
  }

  #begin(path: string, image: ImageRequest): Download {
    const abort = new AbortController();
    const result = this.#fetchChecked(path, image, abort.signal);
    const download: Download = { result, abort, waiting: 0 };
    const forget = () => {
      if (this.#downloads.get(path) === download) this.#downloads.delete(path);
    };
    abort.signal.addEventListener('abort', forget);
    result.then(forget, forget);
    this.#downloads.set(path, download);
    return download;
  }

  async #join(download: Download, signal: AbortSignal): Promise<string> {
    download.waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([download.result, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      download.waiting -= 1;
      if (download.waiting === 0) download.abort.abort(new Error('nobody waits for this image any more'));
    }
  }

  async #fetchChecked(path: string, image: ImageRequest, signal: AbortSignal): Promise<string> {
    await this.#assertRoom(image);
    const part = `${path}.${++this.#parts}.part`;
    const began = performance.now();
    try {
      await this.#download(part, image, signal);
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw explained(error, image);
    }
    this.#options.log.info(
      { image: image.imageId, bytes: image.size, ms: Math.round(performance.now() - began) },
      'an image was cached',
    );
    return path;
  }

  async #assertRoom(image: ImageRequest): Promise<void> {
    const { bavail, bsize } = await statfs(this.#options.folder);
    if (bavail * bsize - image.size < (this.#options.reserveBytes ?? 256 << 20)) throw noRoom(image);
  }

  async #download(part: string, image: ImageRequest, signal: AbortSignal): Promise<void> {
    const idle = new AbortController();
    const idleMs = this.#options.idleMs ?? 30_000;
    const giveUp = () => idle.abort(new Error(`no byte came for ${idleMs} ms`));
    let timer = setTimeout(giveUp, idleMs);
    const file = await open(part, 'w', 0o644);
    try {
      const response = await fetch(image.url, { signal: AbortSignal.any([signal, idle.signal]), redirect: 'error' });
      if (response.status !== 200 || !response.body)
        throw fail.unavailable(`the image service answered ${response.status}`);
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of response.body) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, idleMs);
        bytes += chunk.length;
        if (bytes > image.size) break;
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      if (bytes !== image.size) throw fail.conflict(`image ${image.imageId} has another size than it should have`);
      if (hash.digest('hex') !== image.sha256)
        throw fail.conflict(`image ${image.imageId} does not have the bytes that its checksum names`);
      await file.sync();
    } finally {
      clearTimeout(timer);
      await file.close();
    }
    if (image.format === 'qcow2') await assertSelfContained(part, image);
  }
}

async function assertSelfContained(path: string, image: ImageRequest): Promise<void> {
  const file = await open(path, 'r');
  try {
    const header = Buffer.alloc(104);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    const fault = faultOfQcow2(header.subarray(0, bytesRead));
    if (fault) throw fail.conflict(`image ${image.imageId} can not be used: ${fault}`);
  } finally {
    await file.close();
  }
}

const noRoom = (image: ImageRequest, cause?: unknown) =>
  fail.overQuota(`the node has no room for image ${image.imageId}`, { cause });

function explained(error: unknown, image: ImageRequest): unknown {
  if (isFailure(error)) return error;
  if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT'))
    return noRoom(image, error);
  return fail.unavailable(`image ${image.imageId} could not be downloaded`, { cause: error });
}
