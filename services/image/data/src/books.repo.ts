/** What the auditor and the sweeper ask: rows that should have a file, usage as counted and as it is. */
import type { Db } from '#libs/platform/db';
import { eventsOf, forgetEvents, type ImageEvent } from './image-event.sql.js';
import { type Usage, usageOf } from './usage.sql.js';

export interface BookImage {
  readonly id: string;
  readonly status: string;
  readonly owner: string;
  readonly size: number | null;
  readonly uploadId: string | null;
  readonly hasFile: boolean;
}

export interface BookUsage {
  readonly projectId: string;
  readonly images: number;
  readonly bytes: number;
  readonly realImages: number;
  readonly realBytes: number;
}

export class BooksRepo {
  constructor(private readonly db: Db) {}

  images(): Promise<BookImage[]> {
    return this.db.query<BookImage>(
      `select id, status, owner, size, upload_id as "uploadId", has_file as "hasFile" from image
       where status <> 'deleted' or has_file order by id`,
    );
  }

  /** Counted usage beside the sums of the rows. */
  usage(): Promise<BookUsage[]> {
    return this.db.query<BookUsage>(
      `select coalesce(u.project_id, r.owner) as "projectId", coalesce(u.images, 0) as images,
         coalesce(u.bytes, 0)::bigint as bytes, coalesce(r.images, 0) as "realImages", coalesce(r.bytes, 0)::bigint as "realBytes"
       from project_usage u full join
         (select owner, count(*) as images, sum(held_bytes) as bytes from image where status <> 'deleted' group by owner) r
         on r.owner = u.project_id`,
    );
  }

  /** The row that the file of an upload belongs to, if there is one still. */
  async ownerOfFile(imageId: string, uploadId: string): Promise<BookImage | undefined> {
    return this.db.one<BookImage>(
      `select id, status, owner, size, upload_id as "uploadId", has_file as "hasFile" from image
       where id = $1 and upload_id = $2`,
      [imageId, uploadId],
    );
  }

  /** Deleted images that may still have a file. */
  deletedWithFile(): Promise<{ id: string; uploadId: string | null }[]> {
    return this.db.query(
      `select id, upload_id as "uploadId" from image where status = 'deleted' and has_file order by deleted_at limit 100`,
    );
  }

  /** The file of a deleted image is gone. */
  async fileIsGone(id: string): Promise<void> {
    await this.db.exec(`update image set has_file = false where id = $1 and status = 'deleted'`, [id]);
  }

  /** Forgets what was deleted long ago. */
  async forget(before: Date): Promise<number> {
    await forgetEvents(this.db, before);
    return this.db.exec(`delete from image where status = 'deleted' and not has_file and deleted_at < $1`, [before]);
  }

  events(id: string): Promise<ImageEvent[]> {
    return eventsOf(this.db, id);
  }

  usageOf(projectId: string): Promise<Usage> {
    return usageOf(this.db, projectId);
  }

  async counts(): Promise<{ status: string; images: number; bytes: number }[]> {
    return this.db.query(
      `select status, count(*) as images, coalesce(sum(held_bytes), 0)::bigint as bytes from image group by status order by status`,
    );
  }

  async alive(): Promise<boolean> {
    return this.db.one('select 1').then(
      () => true,
      () => false,
    );
  }
}
