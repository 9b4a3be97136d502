/** What runs or waits on a server, as far as an operation must know before it inserts another task. */
import type { Sql } from '#libs/platform/db';
import { SERVER_DELETE, serverKey } from '#services/compute/domain';

const DELETING = {
  name: 'server_task.deleting',
  text: `select 1 from task where key = $1 and kind = $2 and state in ('running', 'queued')`,
};

/** True while a delete of the server runs or waits; a stuck one is none. */
export async function isBeingDeleted(on: Sql, serverId: string): Promise<boolean> {
  return (await on.one(DELETING, [serverKey(serverId), SERVER_DELETE])) !== undefined;
}
