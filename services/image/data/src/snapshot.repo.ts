/**
 * Images that compute makes of servers. Their ids are chosen by compute before anything is made, and each goes one way
 * only: registered, filled, discarded. An id that was discarded stays refused, also where it was never registered, so a
 * late repetition of the first call makes nothing that nobody will clear away.
 */
import { type Clock, fail } from '#libs/kernel';
import type { Db, Sql } from '#libs/platform/db';
import type { Image, NewImage, QuotaLimits } from '#services/image/domain';
import type { StoredImage } from './image.columns.js';
import type { DeletedImage, ImageRepo } from './image.repo.js';
import { tell } from './image-event.sql.js';
import type { Upload } from './upload.repo.js';
import { giveBack } from './usage.sql.js';

interface Row {
  readonly owner: string;
  readonly status: string;
  readonly uploadId: string | null;
  readonly heldBytes: number;
}

const LOCK = `select owner, status, upload_id as "uploadId", held_bytes as "heldBytes" from image where id = $1 for update`;
const TOMBSTONE = `insert into image (id, status, visibility, owner, created_at, updated_at, deleted_at)
  values ($1, 'deleted', 'private', $2, $3, $3, $3) on conflict do nothing`;
/** Of one server and kind, beyond the newest ones. */
const SURPLUS = `select id from (
    select id, protected, row_number() over (order by created_at desc, id desc) as place from image
     where owner = $1 and status <> 'deleted'
       and properties @> jsonb_build_object('image_type', 'backup', 'instance_uuid', $2::text, 'backup_type', $3::text)
  ) ranked where place > $4 and not protected`;

export class SnapshotRepo {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly images: ImageRepo,
  ) {}

  /** Throws `conflict` where the id is another project's image, `gone` where it was discarded, `overQuota`. */
  async register(image: NewImage, limits: QuotaLimits): Promise<Image> {
    const known = await this.known(image);
    if (known) return known;
    try {
      return await this.images.create(image, limits);
    } catch (error) {
      // Registered by somebody who asked the same at the same moment.
      const there = await this.known(image);
      if (there) return there;
      throw error;
    }
  }

  private async known(image: NewImage): Promise<StoredImage | undefined> {
    const row = await this.db.one<Row>('select owner, status from image where id = $1', [image.id]);
    if (!row) return undefined;
    if (row.status === 'deleted') throw fail.gone(`Image ${image.id} was deleted.`);
    if (row.owner !== image.owner) throw fail.conflict(`Image ID ${image.id} already exists!`);
    return this.images.get(image.id, undefined);
  }

  /** Also a protected one: its making was given up, or it was only ever the shelf of a server. */
  async discard(id: string, owner: string): Promise<Upload | undefined> {
    const uploadId = await this.db.tx((tx) => this.discardIn(tx, id, owner));
    return uploadId === null ? undefined : { imageId: id, uploadId };
  }

  private async discardIn(tx: Sql, id: string, owner: string): Promise<string | null> {
    const at = this.clock.now();
    await tx.exec(TOMBSTONE, [id, owner, at]);
    const row = await tx.one<Row>(LOCK, [id]);
    if (!row || row.status === 'deleted') return row?.uploadId ?? null;
    if (row.owner !== owner) throw fail.conflict(`Image ${id} belongs to another project.`);
    await tx.exec(
      `update image set status = 'deleted', deleted_at = $2, updated_at = $2, held_bytes = 0, revision = revision + 1
       where id = $1`,
      [id, at],
    );
    await giveBack(tx, row.owner, 1, row.heldBytes);
    await tell(tx, id, at, 'image.discard');
    return row.uploadId;
  }

  /** Deletes the oldest backups beyond `keep`. */
  async rotate(owner: string, serverId: string, backupType: string, keep: number): Promise<Upload[]> {
    const surplus = await this.db.query<{ id: string }>(SURPLUS, [owner, serverId, backupType, keep]);
    const deleted: Upload[] = [];
    for (const { id } of surplus) {
      const gone = await this.deleteOne(id);
      if (gone) deleted.push({ imageId: id, uploadId: gone.uploadId ?? '' });
    }
    return deleted;
  }

  /** Undefined: its owner was faster. */
  private async deleteOne(id: string): Promise<DeletedImage | undefined> {
    try {
      return await this.images.delete(id);
    } catch (error) {
      if (await this.db.one(`select 1 from image where id = $1 and (status = 'deleted' or protected)`, [id]))
        return undefined;
      throw error;
    }
  }
}
