/**
 * Takes the bytes of an image in: straight to disk, never in memory, hashed and counted on the way, judged by the gate,
 * and only then the image's. Whatever goes wrong, the image is queued again and no byte stays; after a crash the sweeper
 * does the same. The row claims the upload before its file exists, so every file can be traced to a row.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { fail, type Ids, isFailure, privateMessage } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { BooksRepo, Content, Gate, ImageFiles, IncomingFile, Upload, UploadRepo } from '#services/image/data';
import { checkUploadFormats, type Image, overSize, type QuotaLimits } from '#services/image/domain';

export interface UploadParts {
  readonly uploads: UploadRepo;
  readonly books: BooksRepo;
  readonly files: ImageFiles;
  readonly gate: Gate;
  readonly ids: Ids;
  readonly log: Log;
}

export interface UploadLimits {
  readonly quota: QuotaLimits;
  readonly maxBytes: number;
  readonly idleMs: number;
}

/** Quota is set aside, and the disk looked at, for this much at a time where the length is not told. */
const BLOCK = 64 << 20;
const BEAT_MS = 5_000;

interface Hashes {
  readonly md5: Hash;
  readonly sha256: Hash;
  readonly sha512: Hash;
}

export class ImageUploads {
  constructor(
    private readonly parts: UploadParts,
    private readonly limits: UploadLimits,
  ) {}

  /** Receives `length` bytes (or as many as come) for a queued image. Throws after having put everything back. */
  async receive(image: Image, stream: Readable, length: number | undefined): Promise<void> {
    const { diskFormat } = checkUploadFormats(image);
    const { uploads, files, ids } = this.parts;
    if ((length ?? 0) > this.limits.maxBytes) throw overSize(this.limits.maxBytes);
    await files.checkRoom(length ?? 0);
    const upload = await uploads.start(image, ids.uuid());
    try {
      const hashes = await this.store(upload, stream, length);
      const { virtualSize } = await this.judge(upload, diskFormat);
      await files.publish(upload);
      await uploads.finish(upload, { ...hashes, virtualSize }, this.limits.quota);
    } catch (error) {
      if (await this.putBack(upload, error)) return;
      throw error;
    }
  }

  private async judge(upload: Upload, format: string): Promise<{ virtualSize: number }> {
    const handle = await this.parts.files.openIncoming(upload);
    try {
      return await this.parts.gate.judge(handle.fd, format);
    } finally {
      await handle.close();
    }
  }

  /** True when the upload turns out to have succeeded: the answer of the database was lost, not the commit. */
  private async putBack(upload: Upload, error: unknown): Promise<boolean> {
    const { uploads, books, files, log } = this.parts;
    try {
      if (!(await uploads.abandon(upload, privateMessage(error)))) {
        const row = await books.ownerOfFile(upload.imageId, upload.uploadId);
        if (row && row.status !== 'deleted') return true;
      }
      await files.remove(upload);
    } catch (problem) {
      log.warn({ err: problem, image: upload.imageId }, 'a failed upload is left to the sweeper');
    }
    return false;
  }

  private async store(
    upload: Upload,
    stream: Readable,
    length: number | undefined,
  ): Promise<Omit<Content, 'virtualSize'>> {
    const watch = new Watch(stream, this.limits.idleMs, () => this.parts.uploads.beat(upload));
    const file = await this.parts.files.begin(upload);
    const hashes = { md5: createHash('md5'), sha256: createHash('sha256'), sha512: createHash('sha512') };
    try {
      await this.copy(stream, file, hashes, new Holding(this, upload, length), watch);
      if (length !== undefined && file.size !== length) throw truncated();
      await file.sync();
    } finally {
      watch.stop();
      await file.close();
    }
    return {
      size: file.size,
      md5: hashes.md5.digest('hex'),
      sha256: hashes.sha256.digest('hex'),
      sha512: hashes.sha512.digest('hex'),
    };
  }

  private async copy(
    stream: Readable,
    file: IncomingFile,
    hashes: Hashes,
    holding: Holding,
    watch: Watch,
  ): Promise<void> {
    let synced = 0;
    await holding.start();
    for await (const chunk of arriving(stream)) {
      watch.moved();
      if (file.size + chunk.length > this.limits.maxBytes) throw overSize(this.limits.maxBytes);
      await holding.upTo(file.size + chunk.length);
      hashes.md5.update(chunk);
      hashes.sha256.update(chunk);
      hashes.sha512.update(chunk);
      await file.write(chunk);
      if (file.size - synced >= BLOCK) {
        await file.sync();
        synced = file.size;
      }
    }
  }

  /** Sets quota and disk aside for so many bytes of the upload in all. */
  async setAside(upload: Upload, before: number, bytes: number): Promise<void> {
    await this.parts.files.checkRoom(bytes - before);
    await this.parts.uploads.hold(upload, bytes, this.limits.quota);
  }
}

/** Quota held for an upload: all of it where the length is known, else block by block, and exactly at the quota's end. */
class Holding {
  #held = 0;

  constructor(
    private readonly owner: ImageUploads,
    private readonly upload: Upload,
    private readonly length: number | undefined,
  ) {}

  async start(): Promise<void> {
    if (this.length !== undefined) await this.upTo(this.length);
  }

  async upTo(bytes: number): Promise<void> {
    if (bytes <= this.#held) return;
    const wanted = this.length === undefined ? this.#held + Math.max(BLOCK, bytes - this.#held) : bytes;
    try {
      await this.owner.setAside(this.upload, this.#held, wanted);
      this.#held = wanted;
    } catch (error) {
      if (wanted === bytes || !isFailure(error, 'overQuota')) throw error;
      await this.owner.setAside(this.upload, this.#held, bytes);
      this.#held = bytes;
    }
  }
}

/** Keeps the row's sign of life fresh while bytes arrive, and ends a stream that has stalled. */
class Watch {
  readonly #idle: NodeJS.Timeout;
  readonly #beat: NodeJS.Timeout;
  #overtaken = false;

  constructor(stream: Readable, idleMs: number, beat: () => Promise<boolean>) {
    this.#idle = setTimeout(() => stream.destroy(fail.invalid('The upload has stalled.')), idleMs);
    this.#beat = setInterval(() => {
      beat().then(
        (alive) => {
          this.#overtaken = !alive;
        },
        () => undefined,
      );
    }, BEAT_MS);
  }

  /** Bytes have arrived. Throws when the image is no longer waiting for them. */
  moved(): void {
    if (this.#overtaken) throw fail.gone('The image was deleted during the upload.');
    this.#idle.refresh();
  }

  stop(): void {
    clearTimeout(this.#idle);
    clearInterval(this.#beat);
  }
}

const truncated = (cause?: unknown) =>
  fail.invalid('The upload ended before all of its bytes had arrived.', cause === undefined ? {} : { cause });

/** The chunks of a request's body. The request stays open for an answer when the reader gives up. */
async function* arriving(stream: Readable): AsyncGenerator<Buffer> {
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  try {
    for await (const chunk of chunks) yield chunk;
  } catch (error) {
    throw isFailure(error) ? error : truncated(error);
  }
}
