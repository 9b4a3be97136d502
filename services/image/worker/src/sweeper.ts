/**
 * Brings rows and files together again after whatever went wrong. It takes no input but what is there, so recovery from
 * a crash is the same code as every other round:
 * - an upload that shows no life goes back to queued, its quota and bytes given back;
 * - the file of a deleted image goes;
 * - a file that belongs to no row goes, once it is old enough to be nobody's work in progress;
 * - an active image whose file is gone or has another size is told to the operator, and never touched.
 */
import { type Clock, delay, isUuid } from '#libs/kernel';
import { Gauge, type Log, metrics } from '#libs/platform/log';
import type { BooksRepo, ImageFiles, StoredFile, UploadRepo } from '#services/image/data';

export interface SweeperParts {
  readonly uploads: UploadRepo;
  readonly books: BooksRepo;
  readonly files: ImageFiles;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SweeperTimes {
  readonly roundMs: number;
  /** Silence after which an upload is given up. Several heartbeats long. */
  readonly silentMs: number;
  /** Age at which a file without a row is nobody's. */
  readonly orphanMs: number;
  readonly keepDeletedMs: number;
}

const DAY = 86_400_000;
export const SWEEPER_TIMES: SweeperTimes = {
  roundMs: 15_000,
  silentMs: 30_000,
  orphanMs: 120_000,
  keepDeletedMs: 30 * DAY,
};

const damaged = new Gauge({
  name: 'image_files_damaged',
  help: 'Active images whose file is missing or has another size',
  registers: [metrics],
});

export interface Sweep {
  readonly abandoned: number;
  readonly removed: number;
  readonly damaged: readonly string[];
}

export class Sweeper {
  #last: Sweep | undefined;

  constructor(
    private readonly parts: SweeperParts,
    private readonly times: SweeperTimes = SWEEPER_TIMES,
  ) {}

  /** What the latest round found, for the operator. */
  get last(): Sweep | undefined {
    return this.#last;
  }

  /** Rounds until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.round().catch((error: unknown) => this.parts.log.warn({ err: error }, 'a sweep failed; trying again'));
      await delay(this.times.roundMs, signal);
    }
  }

  async round(): Promise<Sweep> {
    const now = this.parts.clock.now().getTime();
    const abandoned = await this.giveUpSilent(new Date(now - this.times.silentMs));
    const removed = (await this.removeDeleted()) + (await this.removeOrphans(now - this.times.orphanMs));
    await this.parts.books.forget(new Date(now - this.times.keepDeletedMs));
    const sweep = { abandoned, removed, damaged: await this.findDamaged() };
    damaged.set(sweep.damaged.length);
    if (abandoned || removed || sweep.damaged.length) this.parts.log.info({ sweep }, 'swept image files');
    this.#last = sweep;
    return sweep;
  }

  private async giveUpSilent(before: Date): Promise<number> {
    const { uploads, files } = this.parts;
    let abandoned = 0;
    for (const upload of await uploads.silentSince(before)) {
      if (!(await uploads.abandon(upload, 'the upload showed no life'))) continue;
      await files.remove(upload);
      abandoned += 1;
    }
    return abandoned;
  }

  private async removeDeleted(): Promise<number> {
    const { books, files } = this.parts;
    const deleted = await books.deletedWithFile();
    for (const { id, uploadId } of deleted) {
      if (uploadId) await files.remove({ imageId: id, uploadId });
      await books.fileIsGone(id);
    }
    return deleted.length;
  }

  private async removeOrphans(before: number): Promise<number> {
    const { files } = this.parts;
    let removed = 0;
    for (const file of await files.list()) {
      if (file.modifiedAt.getTime() > before || (await this.isWanted(file))) continue;
      await files.removeFrom(file.folder, file);
      removed += 1;
    }
    return removed;
  }

  private async isWanted(file: StoredFile): Promise<boolean> {
    const row = await this.parts.books.ownerOfFile(file.imageId, file.uploadId);
    if (!row || row.status === 'deleted' || row.status === 'queued') return false;
    return file.folder === 'images' || row.status === 'saving';
  }

  private async findDamaged(): Promise<string[]> {
    const { books, files } = this.parts;
    const found: string[] = [];
    for (const image of await books.images()) {
      if (image.status !== 'active' && image.status !== 'deactivated') continue;
      const upload = { imageId: image.id, uploadId: image.uploadId ?? '' };
      const size = isUuid(upload.uploadId) ? await files.sizeOf(upload).catch(() => undefined) : undefined;
      if (size === image.size) continue;
      const still = await books.ownerOfFile(image.id, upload.uploadId);
      if (still?.status === image.status) found.push(image.id);
    }
    return found;
  }
}
