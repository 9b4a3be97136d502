/**
 * Interfaces whose ports were deleted, or given to something else, in the network service: the guest's device is unplugged
 * as by a detach. Only compute's own books say so at first; network is asked before anything is done, because what it told
 * may have been read before an interface was attached.
 */
import { type Ids, isFailure, newRequestId, runInContext } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { insertTask } from '#libs/platform/flow';
import type { Log } from '#libs/platform/log';
import { type LostInterface, lostInterfaces, SERVER_NEWS_CHANNEL, type ServerRepo } from '#services/compute/data';
import {
  changedPorts,
  SERVER_DETACH_INTERFACE,
  type ServerDetachInterfaceInput,
  serverKey,
} from '#services/compute/domain';
import type { Network } from '../peers.js';

interface Deps {
  readonly db: Db;
  readonly servers: ServerRepo;
  readonly network: Pick<Network, 'listForServers'>;
  readonly ids: Ids;
  readonly now: () => Date;
  readonly log: Log;
}

/** A guest that did not let go of its device is asked again after so long. */
const PAUSE_MS = 600_000;

export class LostInterfaces {
  #working: Promise<void> = Promise.resolve();
  #unlisten: (() => void) | undefined;

  constructor(private readonly deps: Deps) {}

  async start(): Promise<void> {
    this.#unlisten = await this.deps.db.listen(SERVER_NEWS_CHANNEL, (serverId) => serverId && this.#soon(serverId));
  }

  async stop(): Promise<void> {
    this.#unlisten?.();
    await this.#working;
  }

  /** All servers, or one. */
  async scan(serverId: string | null = null): Promise<void> {
    const { db, now } = this.deps;
    const lost = await lostInterfaces(db, serverId, new Date(now().getTime() - PAUSE_MS));
    for (const one of lost) await this.#settle(one);
  }

  /** What fails here is left to the scan. */
  #soon(serverId: string): void {
    this.#working = this.#working.then(() => this.scan(serverId)).catch(() => undefined);
  }

  async #settle(lost: LostInterface): Promise<void> {
    const { db, servers, network, now } = this.deps;
    const server = await servers.find(db, lost.serverId);
    if (!server) return;
    const told = await network.listForServers({ serverIds: [server.id] });
    const ports = told.servers.find(({ serverId }) => serverId === server.id)?.ports ?? [];
    if (!ports.some(({ id }) => id === lost.portId)) return this.#detach(lost);
    const changed = changedPorts(server, ports);
    if (changed) await servers.patch(db, server.id, changed, now());
  }

  /** Under a request id of its own, so that the operator finds the reason. */
  async #detach({ serverId, projectId, portId }: LostInterface): Promise<void> {
    const { db, servers, ids, now, log } = this.deps;
    const requestId = newRequestId();
    const input: ServerDetachInterfaceInput = { serverId, portId };
    const key = serverKey(serverId);
    const task = { id: ids.uuid(), kind: SERVER_DETACH_INTERFACE, key, projectId, requestId, input };
    try {
      await runInContext({ requestId }, () =>
        db.tx(async (tx) => {
          if (await servers.move(tx, serverId, 'changeInterfaces', now())) await insertTask(tx, task);
        }),
      );
      log.info({ server: serverId, port: portId }, 'a port of a server is gone: its interface is taken from the guest');
    } catch (error) {
      if (!isFailure(error, 'conflict')) throw error;
    }
  }
}
