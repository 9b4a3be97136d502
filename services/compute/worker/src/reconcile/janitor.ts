/**
 * Looks at everything from time to time, so that nothing depends on a message, a wake or a memory: servers that are not
 * as they should be, servers that nobody takes further, usage that does not add up, what is old enough to be forgotten.
 */
import { type Ids, isFailure, newRequestId } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { insertTask, purgeTasks } from '#libs/platform/flow';
import type { Log } from '#libs/platform/log';
import { ConsoleTokenRepo, type ServerRepo, type StandingRepo, type Stranded } from '#services/compute/data';
import { SERVER_DELETE, type ServerDeleteInput, serverKey } from '#services/compute/domain';
import type { ServerNews } from '../nodes/server-news.js';
import type { LostInterfaces } from './lost-interfaces.js';
import type { ResizeConfirmer } from './resize-confirm.js';
import type { ServerReconciler } from './server.reconciler.js';
import type { Shelf } from './shelf.js';

interface Deps {
  readonly db: Db;
  readonly servers: ServerRepo;
  readonly standings: StandingRepo;
  readonly reconciler: ServerReconciler;
  readonly shelf: Shelf;
  readonly resizes: ResizeConfirmer;
  readonly news: ServerNews;
  readonly lost: LostInterfaces;
  readonly keepDays: number;
  readonly ids: Ids;
  readonly now: () => Date;
  readonly log: Log;
}

const SCAN_MS = 30_000;
const SWEEP_MS = 600_000;
/** An operation that is inserted after its server's row changed is not missed at once. */
const STRANDED_MS = 60_000;
const DAY_MS = 86_400_000;

export class Janitor {
  readonly #timers: NodeJS.Timeout[] = [];
  #working: Promise<void> = Promise.resolve();

  constructor(private readonly deps: Deps) {}

  start(): void {
    this.#timers.push(setInterval(() => this.#next(() => this.scan()), SCAN_MS));
    this.#timers.push(setInterval(() => this.#next(() => this.sweep()), SWEEP_MS));
    this.#next(() => this.scan());
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#working;
  }

  async scan(): Promise<void> {
    const { db, standings, reconciler, shelf, resizes, news, lost, now } = this.deps;
    await reconciler.scan();
    await news.scan();
    await lost.scan();
    await shelf.clear();
    await resizes.scan();
    const stranded = await standings.stranded(db, new Date(now().getTime() - STRANDED_MS));
    for (const server of stranded) await this.#rescue(server);
  }

  async sweep(): Promise<void> {
    const { db, standings, servers, keepDays, now, log } = this.deps;
    const before = new Date(now().getTime() - keepDays * DAY_MS);
    const wrong = await standings.recount(db);
    if (wrong.length) log.error({ projects: wrong }, 'recorded usage was not what the servers add up to');
    await standings.sweep(db, before);
    await servers.purge(db, before);
    await new ConsoleTokenRepo().purge(db, now());
    await purgeTasks(db, keepDays);
  }

  #next(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      const { log } = this.deps;
      if (isFailure(error, 'unavailable')) log.debug({ err: error }, 'the scan is made later');
      else log.error({ err: error }, 'a scan failed');
    });
  }

  /** A server in between two states whose operation is gone: a delete is done again, anything else ends in ERROR. */
  async #rescue(server: Stranded): Promise<void> {
    const { db, log } = this.deps;
    log.error({ server: server.id, vm: server.vmState, task: server.taskState }, 'a server is stranded');
    try {
      await db.tx((tx) => (server.taskState === 'deleting' ? this.#deleteAgain(tx, server) : this.#fail(tx, server)));
    } catch (error) {
      if (!isFailure(error, 'conflict')) throw error;
    }
  }

  async #deleteAgain(tx: Tx, { id, projectId }: Stranded): Promise<void> {
    const input: ServerDeleteInput = { serverId: id };
    const requestId = newRequestId();
    await insertTask(tx, {
      id: this.deps.ids.uuid(),
      kind: SERVER_DELETE,
      key: serverKey(id),
      projectId,
      requestId,
      input,
    });
  }

  async #fail(tx: Tx, { id, vmState }: Stranded): Promise<void> {
    const { servers, now } = this.deps;
    const created = now().toISOString();
    const fault = { code: 500, message: 'The operation on the server was given up.', details: '', created };
    await servers.move(tx, id, vmState === 'building' ? 'failed' : 'broken', now(), { fault });
  }
}
