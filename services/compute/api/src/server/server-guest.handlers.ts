/** What is done once with a guest: a new password, an interrupt. */
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import { insertTask } from '#libs/platform/flow';
import type { ServerPatch } from '#services/compute/data';
import {
  hasGuestAgent,
  SERVER_CHANGE_PASSWORD,
  SERVER_TRIGGER_CRASH_DUMP,
  type Server,
  type ServerErrandInput,
} from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import { type Asker, refuseLocked, refuseUnplaced, ServerHandlers } from './server.handlers.js';
import { endOf } from './server-task.js';

/** Clients take the answer for the end: so long it is waited for. */
const WAIT_MS = 50_000;

@Injectable()
export class ServerGuestHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** Done when it returns, unless the guest takes very long. */
  async changePassword(server: Server, password: string, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const { db, servers } = this.books;
    const task = { ...this.servers.task(server, asker), kind: SERVER_CHANGE_PASSWORD };
    const patch: ServerPatch = { secrets: { newPass: password } };
    await db.tx(async (tx) => {
      const moved = await servers.move(tx, server.id, 'changePassword', this.around.clock.now(), patch);
      if (!moved || server.host === null) throw await this.servers.wrongState(server, 'changePassword');
      if (!hasGuestAgent(server.image)) throw fail.conflict('QEMU guest agent is not enabled');
      await insertTask(tx, { ...task, input: { serverId: server.id } satisfies ServerErrandInput });
    });
    const end = await endOf(db, task.id, WAIT_MS);
    if (!end || end.state === 'done') return;
    if (end.failureKind === 'notImplemented') throw fail.notImplemented('Unable to set password on instance');
    const why = end.failure ?? `Failed to set admin password on ${server.id} because error setting admin password`;
    throw fail.conflict(why);
  }

  async triggerCrashDump(server: Server, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    refuseUnplaced(server);
    const { db, servers } = this.books;
    const task = { ...this.servers.task(server, asker), kind: SERVER_TRIGGER_CRASH_DUMP };
    await db.tx(async (tx) => {
      if (!(await servers.move(tx, server.id, 'triggerCrashDump', this.around.clock.now())))
        throw await this.servers.wrongState(server, 'triggerCrashDump', 'trigger_crash_dump');
      await insertTask(tx, { ...task, input: { serverId: server.id } satisfies ServerErrandInput });
    });
  }
}
