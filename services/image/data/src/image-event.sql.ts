/** The diary of images, written in the transaction of what it tells, and read by the operator's command. */
import { currentContext } from '#libs/kernel';
import type { Sql } from '#libs/platform/db';

export interface ImageEvent {
  readonly imageId: string;
  readonly at: Date;
  readonly what: string;
  readonly outcome: string;
  readonly detail: string;
  readonly requestId: string;
}

const INSERT = {
  name: 'image_event.insert',
  text: 'insert into image_event (image_id, at, what, outcome, detail, request_id) values ($1, $2, $3, $4, $5, $6)',
};

/** Adds a line to the diary of an image, with the request id of the running context. */
export async function tell(
  sql: Sql,
  imageId: string,
  at: Date,
  what: string,
  outcome = 'ok',
  detail = '',
): Promise<void> {
  const requestId = currentContext()?.requestId ?? '';
  await sql.exec(INSERT, [imageId, at, what, outcome, detail.slice(0, 2_000), requestId]);
}

/** The diary of an image id or of a request id, oldest first. */
export function eventsOf(sql: Sql, id: string): Promise<ImageEvent[]> {
  return sql.query<ImageEvent>(
    `select image_id as "imageId", at, what, outcome, detail, request_id as "requestId" from image_event
     where image_id::text = $1 or request_id = $1 order by seq limit 1000`,
    [id],
  );
}

export function forgetEvents(sql: Sql, before: Date): Promise<number> {
  return sql.exec('delete from image_event where at < $1', [before]);
}
