/** Servers that have lain on the shelf of their node for as long as the operator allows: they are taken off it. */
import { type Ids, isFailure, newRequestId, runInContext } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { insertTask } from '#libs/platform/flow';
import { type ServerRepo, type Shelved, shelvedBefore } from '#services/compute/data';
import { SERVER_SHELVE_OFFLOAD, type ServerOffloadInput, serverKey } from '#services/compute/domain';

interface Deps {
  readonly db: Db;
  readonly servers: ServerRepo;
  /** Below 0: they stay. */
  readonly shelvedOffloadS: number;
  readonly ids: Ids;
  readonly now: () => Date;
}

export class Shelf {
  constructor(private readonly deps: Deps) {}

  async clear(): Promise<void> {
    const { db, shelvedOffloadS, now } = this.deps;
    if (shelvedOffloadS < 0) return;
    const due = await shelvedBefore(db, new Date(now().getTime() - shelvedOffloadS * 1_000));
    for (const server of due) await this.#offload(server);
  }

  /** Under a request id of its own, so that the operator finds the reason. */
  async #offload({ id, projectId }: Shelved): Promise<void> {
    const { db, servers, ids, now } = this.deps;
    const requestId = newRequestId();
    const input: ServerOffloadInput = { serverId: id };
    const task = { id: ids.uuid(), kind: SERVER_SHELVE_OFFLOAD, key: serverKey(id), projectId, requestId, input };
    try {
      await runInContext({ requestId }, () =>
        db.tx(async (tx) => {
          if (await servers.move(tx, id, 'shelveOffload', now())) await insertTask(tx, task);
        }),
      );
    } catch (error) {
      if (!isFailure(error, 'conflict')) throw error;
    }
  }
}
