/**
 * What each project uses, moved in the same transaction as the image it is for. A quota is the condition of the update,
 * so that no number of concurrent requests gets beyond it.
 */
import type { Sql } from '#libs/platform/db';
import { overBytes, overCount, type QuotaLimits } from '#services/image/domain';

export interface Usage {
  readonly images: number;
  readonly bytes: number;
}

/** Counts one more image. Throws `overQuota`. */
export async function countImage(sql: Sql, project: string, limits: QuotaLimits): Promise<void> {
  await sql.exec('insert into project_usage (project_id) values ($1) on conflict do nothing', [project]);
  const counted = await sql.exec(
    'update project_usage set images = images + 1 where project_id = $1 and ($2::bigint < 0 or images < $2)',
    [project, limits.images],
  );
  if (!counted) throw overCount(limits);
}

/** Counts further bytes (not negative). Throws `overQuota`. */
export async function countBytes(sql: Sql, project: string, bytes: number, limits: QuotaLimits): Promise<void> {
  if (bytes === 0) return;
  const counted = await sql.exec(
    'update project_usage set bytes = bytes + $2 where project_id = $1 and ($3::bigint < 0 or bytes + $2 <= $3)',
    [project, bytes, limits.bytes],
  );
  if (!counted) throw overBytes(limits);
}

/** Gives back images and bytes. */
export async function giveBack(sql: Sql, project: string, images: number, bytes: number): Promise<void> {
  await sql.exec('update project_usage set images = images - $2, bytes = bytes - $3 where project_id = $1', [
    project,
    images,
    bytes,
  ]);
}

/** Takes over an image of another project, whatever the quota: an administrator moved it. */
export async function takeOver(sql: Sql, project: string, bytes: number): Promise<void> {
  await sql.exec(
    `insert into project_usage (project_id, images, bytes) values ($1, 1, $2)
     on conflict (project_id) do update set images = project_usage.images + 1, bytes = project_usage.bytes + $2`,
    [project, bytes],
  );
}

export async function usageOf(sql: Sql, project: string): Promise<Usage> {
  const row = await sql.one<Usage>('select images, bytes from project_usage where project_id = $1', [project]);
  return row ?? { images: 0, bytes: 0 };
}
