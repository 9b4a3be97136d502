/** Servers that lie on the shelf and still hold their place on a node. */
import type { Sql } from '#libs/platform/db';

export interface Shelved {
  readonly id: string;
  readonly projectId: string;
}

const SHELVED_BEFORE = `select id, project_id as "projectId" from server
  where vm_state = 'shelved' and task_state is null and (system_metadata->>'shelved_at')::timestamptz <= $1 order by id limit 100`;

/** Those that nothing is done with, and that were shelved before that time. */
export function shelvedBefore(on: Sql, time: Date): Promise<Shelved[]> {
  return on.query<Shelved>(SHELVED_BEFORE, [time]);
}
