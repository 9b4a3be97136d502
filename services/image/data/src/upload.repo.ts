/**
 * The life of an upload in the database. Each has an id of its own, which is also part of its file's name: whoever was
 * given up on can neither touch the row nor the bytes of its successor.
 */
import { type Clock, fail } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { decideAction, type Image, type ImageStatus, type QuotaLimits } from '#services/image/domain';
import { tell } from './image-event.sql.js';
import { countBytes, giveBack } from './usage.sql.js';

export interface Upload {
  readonly imageId: string;
  readonly uploadId: string;
}

/** What the bytes turned out to be. */
export interface Content {
  readonly size: number;
  readonly virtualSize: number;
  readonly md5: string;
  readonly sha256: string;
  readonly sha512: string;
}

interface Held {
  readonly owner: string;
  readonly heldBytes: number;
}

const LOCK = `select owner, held_bytes as "heldBytes" from image
  where id = $1 and upload_id = $2 and status = 'saving' for update`;

/** The image was deleted, or the upload was given up on, while its bytes were coming in. */
const overtaken = (imageId: string) =>
  fail.gone(`Image ${imageId} could not be found after upload. The image may have been deleted during the upload.`);

export class UploadRepo {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /** Claims a queued image for one upload. Throws `conflict` unless it is queued. */
  async start(image: Image, uploadId: string): Promise<Upload> {
    decideAction('startUpload', image.status);
    const at = this.clock.now();
    return this.db.tx(async (tx) => {
      const claimed = await tx.exec(
        `update image set status = 'saving', upload_id = $2, upload_at = $3, updated_at = $3, has_file = true,
           revision = revision + 1 where id = $1 and status = 'queued'`,
        [image.id, uploadId, at],
      );
      if (!claimed) {
        const now = await tx.one<{ status: ImageStatus }>('select status from image where id = $1', [image.id]);
        decideAction('startUpload', now?.status ?? 'deleted');
        throw overtaken(image.id);
      }
      await tell(tx, image.id, at, 'image.upload', 'started');
      return { imageId: image.id, uploadId };
    });
  }

  /** Sets aside quota so that `bytes` in all are held. Throws `overQuota`, or `gone` when the upload was overtaken. */
  async hold(upload: Upload, bytes: number, limits: QuotaLimits): Promise<void> {
    await this.db.tx(async (tx) => {
      const row = await tx.one<Held>(LOCK, [upload.imageId, upload.uploadId]);
      if (!row) throw overtaken(upload.imageId);
      await countBytes(tx, row.owner, Math.max(0, bytes - row.heldBytes), limits);
      await tx.exec('update image set held_bytes = greatest(held_bytes, $2::bigint), upload_at = $3 where id = $1', [
        upload.imageId,
        bytes,
        this.clock.now(),
      ]);
    });
  }

  /** Shows life. False when the upload was overtaken. */
  async beat(upload: Upload): Promise<boolean> {
    const touched = await this.db.exec(
      `update image set upload_at = $3 where id = $1 and upload_id = $2 and status = 'saving'`,
      [upload.imageId, upload.uploadId, this.clock.now()],
    );
    return touched === 1;
  }

  /** The bytes are in place: the image becomes active. Throws `gone` when the upload was overtaken. */
  async finish(upload: Upload, content: Content, limits: QuotaLimits): Promise<void> {
    const at = this.clock.now();
    await this.db.tx(async (tx) => {
      const row = await tx.one<Held>(LOCK, [upload.imageId, upload.uploadId]);
      if (!row) throw overtaken(upload.imageId);
      await countBytes(tx, row.owner, Math.max(0, content.size - row.heldBytes), limits);
      await giveBack(tx, row.owner, 0, Math.max(0, row.heldBytes - content.size));
      await tx.exec(
        `update image set status = 'active', size = $2, held_bytes = $2, virtual_size = $3, checksum = $4, sha256 = $5,
           hash_algo = 'sha512', hash_value = $6, upload_at = null, updated_at = $7, revision = revision + 1 where id = $1`,
        [upload.imageId, content.size, content.virtualSize, content.md5, content.sha256, content.sha512, at],
      );
      await tell(tx, upload.imageId, at, 'image.upload', 'ok', `${content.size} bytes, sha256 ${content.sha256}`);
    });
  }

  /** Puts the image back to queued and gives back what was held. False when the upload was overtaken. */
  async abandon(upload: Upload, why: string): Promise<boolean> {
    const at = this.clock.now();
    return this.db.tx(async (tx) => {
      const row = await tx.one<Held>(LOCK, [upload.imageId, upload.uploadId]);
      if (!row) return false;
      await tx.exec(
        `update image set status = 'queued', upload_id = null, upload_at = null, held_bytes = 0, has_file = false,
           updated_at = $2, revision = revision + 1 where id = $1`,
        [upload.imageId, at],
      );
      await giveBack(tx, row.owner, 0, row.heldBytes);
      await tell(tx, upload.imageId, at, 'image.upload', 'failed', why);
      return true;
    });
  }

  /** Uploads that have shown no life since `before`. */
  silentSince(before: Date): Promise<Upload[]> {
    return this.db.query<Upload>(
      `select id as "imageId", upload_id as "uploadId" from image where status = 'saving' and upload_at < $1 limit 100`,
      [before],
    );
  }
}
