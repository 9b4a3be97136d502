/** Confirms resizes that nobody has decided about for long enough. Scans the database, so nothing is forgotten over a restart. */
import { type Ids, isFailure, newRequestId } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { insertTask } from '#libs/platform/flow';
import type { Log } from '#libs/platform/log';
import type { ServerRepo } from '#services/compute/data';
import { SERVER_CONFIRM_RESIZE, type Server, type ServerResizedInput, serverKey } from '#services/compute/domain';

interface Deps {
  readonly db: Db;
  readonly servers: ServerRepo;
  /** Seconds; 0: never. */
  readonly windowS: number;
  readonly ids: Ids;
  readonly now: () => Date;
  readonly log: Log;
}

export class ResizeConfirmer {
  constructor(private readonly deps: Deps) {}

  async scan(): Promise<void> {
    const { db, servers, windowS, now } = this.deps;
    if (!windowS) return;
    const waiting = await servers.waitingResizes(db, new Date(now().getTime() - windowS * 1_000));
    for (const server of waiting) await this.#confirm(server);
  }

  async #confirm(server: Server): Promise<void> {
    const { db, log } = this.deps;
    try {
      if (await db.tx((tx) => this.#insert(tx, server)))
        log.info({ server: server.id }, 'a resize is confirmed: nobody has decided about it');
    } catch (error) {
      if (!isFailure(error, 'conflict')) throw error;
    }
  }

  async #insert(tx: Tx, { id, projectId, resize }: Server): Promise<boolean> {
    const { servers, ids, now } = this.deps;
    const moved = resize && (await servers.move(tx, id, 'confirmResize', now()));
    if (!moved) return false;
    const input: ServerResizedInput = { serverId: id, generation: moved.generation, resize };
    const task = { id: ids.uuid(), kind: SERVER_CONFIRM_RESIZE, key: serverKey(id), projectId, input };
    await insertTask(tx, { ...task, requestId: newRequestId() });
    return true;
  }
}
