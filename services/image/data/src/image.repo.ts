/** Images: reading, registering, editing, and the changes of status that need no bytes. */
import { type Clock, fail, isUuid } from '#libs/kernel';
import { type Db, isUnique, type Sql } from '#libs/platform/db';
import {
  decideAction,
  type Editable,
  IMAGE_ACTIONS,
  type Image,
  type ImageQuery,
  type NewImage,
  type QuotaLimits,
} from '#services/image/domain';
import { IMAGE_COLUMNS, type StoredImage, type Viewer } from './image.columns.js';
import { tell } from './image-event.sql.js';
import { isPlainList, listSql } from './image-list.sql.js';
import { countImage, giveBack, takeOver } from './usage.sql.js';

const FIND = {
  name: 'image.find',
  text: `select ${IMAGE_COLUMNS}, i.upload_id as "uploadId",
      exists (select 1 from image_member m where m.image_id = i.id and m.member_id = $2) as "isMember"
    from image i where i.id = $1 and i.status <> 'deleted'`,
};

const noSuchImage = (id: string) => fail.notFound(`No image found with ID ${id}`);

export interface DeletedImage {
  readonly uploadId: string | null;
}

export class ImageRepo {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /** The image with what the project needs to know of it. Throws `notFound`. */
  async get(id: string, projectId: string | undefined): Promise<StoredImage> {
    const image = isUuid(id) ? await this.db.one<StoredImage>(FIND, [id, projectId ?? '']) : undefined;
    if (!image) throw noSuchImage(id);
    return image;
  }

  /** One page, and whether a further one follows. Throws `invalid` for a marker that is not there. */
  async list(query: ImageQuery, viewer: Viewer): Promise<{ images: Image[]; more: boolean }> {
    if (query.marker !== undefined) await this.checkMarker(query.marker, viewer);
    const { text, params } = listSql(query, viewer);
    const plain = isPlainList(query);
    const name = `image.list.${viewer.all}.${query.hidden}.${query.sorts[0]!.direction}`;
    const rows = await this.db.query<Image>(plain ? { name, text } : text, params);
    return { images: rows.slice(0, query.limit), more: rows.length > query.limit };
  }

  private async checkMarker(marker: string, viewer: Viewer): Promise<void> {
    const row = isUuid(marker) ? await this.db.one<StoredImage>(FIND, [marker, viewer.projectId]) : undefined;
    const visible = row && (viewer.all || row.owner === viewer.projectId || row.visibility !== 'private');
    if (!visible) throw fail.invalid(`Marker ${marker} is not an image.`);
  }

  /** Registers an image without bytes. Throws `conflict` for an id that was ever used, `overQuota`. */
  async create(image: NewImage, limits: QuotaLimits): Promise<Image> {
    const at = this.clock.now();
    try {
      return await this.db.tx(async (tx) => {
        await countImage(tx, image.owner, limits);
        const row = await tx.one<Image>(
          `insert into image as i (id, name, status, visibility, owner, disk_format, container_format, min_disk, min_ram,
             protected, hidden, properties, tags, created_at, updated_at)
           values ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) returning ${IMAGE_COLUMNS}`,
          [image.id, image.name, image.visibility, image.owner, ...editableParams(image), at],
        );
        await tell(tx, image.id, at, 'image.create');
        return row!;
      });
    } catch (error) {
      if (isUnique(error, 'image_pkey')) throw fail.conflict(`Image ID ${image.id} already exists!`);
      throw error;
    }
  }

  /** Writes the edit if the image is still at that revision; undefined when it is not. */
  async edit(image: Image, edit: Editable): Promise<Image | undefined> {
    const at = this.clock.now();
    return this.db.tx(async (tx) => {
      const row = await tx.one<Image & { heldBytes: number }>(
        `update image as i set name = $2, visibility = $3, owner = $4, disk_format = $5, container_format = $6,
           min_disk = $7, min_ram = $8, protected = $9, hidden = $10, properties = $11, tags = $12, updated_at = $13,
           revision = revision + 1
         where i.id = $1 and i.revision = $14 and i.status <> 'deleted'
         returning ${IMAGE_COLUMNS}, i.held_bytes as "heldBytes"`,
        [image.id, edit.name, edit.visibility, edit.owner, ...editableParams(edit), at, image.revision],
      );
      if (!row) return undefined;
      if (edit.owner !== image.owner) {
        await giveBack(tx, image.owner, 1, row.heldBytes);
        await takeOver(tx, edit.owner, row.heldBytes);
      }
      await tell(tx, image.id, at, 'image.update');
      return row;
    });
  }

  /** Adds or removes one tag; false when it was not there to remove. */
  async setTag(id: string, tag: string, present: boolean, max: number): Promise<boolean> {
    const at = this.clock.now();
    const text = present
      ? `update image set tags = array_append(tags, $2), updated_at = $3, revision = revision + 1
         where id = $1 and status <> 'deleted' and not tags @> array[$2::text] and cardinality(tags) < ${max}`
      : `update image set tags = array_remove(tags, $2), updated_at = $3, revision = revision + 1
         where id = $1 and status <> 'deleted' and tags @> array[$2::text]`;
    return (await this.db.exec(text, [id, tag, at])) === 1;
  }

  /** Takes an image out of use or back. Throws what the machine says. */
  async switch(action: 'deactivate' | 'reactivate', image: Image): Promise<void> {
    if (decideAction(action, image.status) === 'idle') return;
    const { from, to } = IMAGE_ACTIONS[action];
    const at = this.clock.now();
    await this.db.tx(async (tx) => {
      const moved = await tx.exec(
        `update image set status = $2, updated_at = $3, revision = revision + 1 where id = $1 and status = any($4)`,
        [image.id, to, at, from],
      );
      if (!moved) throw fail.conflict('The image has changed; try again.');
      await tell(tx, image.id, at, `image.${action}`);
    });
  }

  /** Deletes the row's claim on bytes and quota; the file is the caller's, and the sweeper's after a crash. */
  async delete(id: string): Promise<DeletedImage> {
    return this.db.tx((tx) => this.deleteIn(tx, id));
  }

  private async deleteIn(tx: Sql, id: string): Promise<DeletedImage> {
    const at = this.clock.now();
    const row = await tx.one<{ owner: string; uploadId: string | null; heldBytes: number; protected: boolean }>(
      `select owner, upload_id as "uploadId", held_bytes as "heldBytes", protected from image
       where id = $1 and status <> 'deleted' for update`,
      [id],
    );
    if (!row) throw noSuchImage(id);
    if (row.protected) throw fail.forbidden(`Image ${id} is protected and cannot be deleted.`);
    await tx.exec(
      `update image set status = 'deleted', deleted_at = $2, updated_at = $2, held_bytes = 0, revision = revision + 1
       where id = $1`,
      [id, at],
    );
    await giveBack(tx, row.owner, 1, row.heldBytes);
    await tell(tx, id, at, 'image.delete');
    return { uploadId: row.uploadId };
  }
}

function editableParams(image: Editable): unknown[] {
  return [
    image.diskFormat,
    image.containerFormat,
    image.minDisk,
    image.minRam,
    image.protected,
    image.hidden,
    JSON.stringify(image.properties),
    image.tags,
  ];
}
