/** Waiting with an answer for what a task comes to. */
import { delay } from '#libs/kernel';
import type { Sql } from '#libs/platform/db';
import { type TaskEnd, taskEnd } from '#services/compute/data';

const LOOK_MS = 25;
const LONGEST_LOOK_MS = 250;

/** How the task ended; undefined where it goes on beyond that time, or is forgotten. */
export async function endOf(db: Sql, taskId: string, withinMs: number): Promise<TaskEnd | undefined> {
  for (let waited = 0, pause = LOOK_MS; waited < withinMs; waited += pause) {
    const end = await taskEnd(db, taskId);
    if (!end) return undefined;
    if (end.state !== 'running' && end.state !== 'queued') return end;
    pause = Math.min(pause * 1.2, LONGEST_LOOK_MS);
    await delay(pause);
  }
  return undefined;
}
