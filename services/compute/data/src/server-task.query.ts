/** What runs or waits on a server, as far as an operation must know before it inserts another task. */
import type { ErrorKind } from '#libs/kernel';
import type { Sql } from '#libs/platform/db';
import { SERVER_DELETE, SERVER_REBOOT, serverKey } from '#services/compute/domain';

const DELETING = {
  name: 'server_task.deleting',
  text: `select 1 from task where key = $1 and kind = $2 and state in ('running', 'queued')`,
};

/** True while a delete of the server runs or waits; a stuck one is none. */
export async function isBeingDeleted(on: Sql, serverId: string): Promise<boolean> {
  return (await on.one(DELETING, [serverKey(serverId), SERVER_DELETE])) !== undefined;
}

const REBOOT_WAITS = {
  name: 'server_task.reboot_waits',
  text: `select 1 from task where key = $1 and kind = $2 and state = 'queued'`,
};

/** True while a reboot waits for what is under way to make room. */
export async function isRebootWaiting(on: Sql, serverId: string): Promise<boolean> {
  return (await on.one(REBOOT_WAITS, [serverKey(serverId), SERVER_REBOOT])) !== undefined;
}

/** How far a task has come; `failure` is the public reason why it turned round. */
export interface TaskEnd {
  readonly state: 'queued' | 'running' | 'stuck' | 'done' | 'undone' | 'abandoned';
  readonly direction: 'do' | 'undo';
  readonly failureKind: ErrorKind | null;
  readonly failure: string | null;
}

const END = {
  name: 'server_task.end',
  text: 'select state, direction, failure_kind as "failureKind", failure from task where id = $1',
};

export const taskEnd = (on: Sql, taskId: string): Promise<TaskEnd | undefined> => on.one<TaskEnd>(END, [taskId]);
