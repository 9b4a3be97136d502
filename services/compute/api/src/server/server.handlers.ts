import { Injectable } from '@nestjs/common';
import { fail, isUuid } from '#libs/kernel';
import { insertTask, requestCancel, withdrawWaiting } from '#libs/platform/flow';
import type { Credentials } from '#libs/platform/policy';
import {
  isBeingDeleted,
  isRebootWaiting,
  listServerNames,
  listServers,
  type ServerPatch,
  type ServerQuery,
  serverExists,
} from '#services/compute/data';
import {
  isNodeUp,
  MOVES,
  type Move,
  type MoveName,
  type Node,
  type RebootKind,
  SERVER_DELETE,
  SERVER_PAUSE,
  SERVER_REBOOT,
  SERVER_RESUME,
  SERVER_START,
  SERVER_STOP,
  SERVER_SUSPEND,
  SERVER_UNPAUSE,
  type Server,
  serverKey,
} from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { type FloatingAddress, floatingOf } from './server.floating.js';
import type { ServerRow } from './server.wire.js';

/** Who asks for something to be done, and in which request. */
export interface Asker {
  readonly who: Credentials;
  readonly isAdmin: boolean;
  readonly requestId: string;
}

export interface Extras {
  readonly userData: boolean;
  readonly hostStatus: boolean;
}

export const serverNotFound = (id: string) => fail.notFound(`Instance ${id.slice(0, 64)} could not be found.`);

/** Operations by the move with which they begin; Nova's messages call them the same. */
const POWER_TASKS = {
  start: SERVER_START,
  stop: SERVER_STOP,
  pause: SERVER_PAUSE,
  unpause: SERVER_UNPAUSE,
  suspend: SERVER_SUSPEND,
  resume: SERVER_RESUME,
} as const;

/** Whether the server is on a node counts before its state. */
const PLACED_FIRST: ReadonlySet<MoveName> = new Set(['start', 'stop']);

@Injectable()
export class ServerHandlers {
  constructor(
    private readonly books: Books,
    private readonly around: Surroundings,
    private readonly peers: Peers,
  ) {}

  /** The caller's own server, or any for an administrator; everything else is answered alike. */
  async find(id: string, who: Credentials, isAdmin: boolean): Promise<Server> {
    const server = isUuid(id) ? await this.books.servers.find(this.books.db, id) : undefined;
    if (!server || (!isAdmin && server.projectId !== who.projectId)) throw serverNotFound(id);
    return server;
  }

  /** The same, deleted ones included. */
  async findEver(id: string, who: Credentials, isAdmin: boolean): Promise<Server> {
    const deleted = isUuid(id) ? await this.books.servers.findDeleted(this.books.db, id) : undefined;
    if (deleted && (isAdmin || deleted.projectId === who.projectId)) return deleted;
    return this.find(id, who, isAdmin);
  }

  async list(query: ServerQuery, visibleIn: string | undefined): Promise<Server[]> {
    await this.#checkMarker(query, visibleIn);
    return query.limit === 0 ? [] : listServers(this.books.db, query);
  }

  async listNames(query: ServerQuery, visibleIn: string | undefined): Promise<{ id: string; name: string }[]> {
    await this.#checkMarker(query, visibleIn);
    return query.limit === 0 ? [] : listServerNames(this.books.db, query);
  }

  async #checkMarker({ marker, deleted }: ServerQuery, visibleIn: string | undefined): Promise<void> {
    if (marker !== undefined && !(await serverExists(this.books.db, marker, deleted, visibleIn)))
      throw fail.invalid(`marker [${marker.slice(0, 64)}] not found`);
  }

  /** What some callers are shown beside the row. */
  async withExtras(servers: readonly Server[], extras: Extras): Promise<readonly ServerRow[]> {
    const floating = await this.floatingOf(servers);
    const rows = servers.map((server) => ({ ...server, floatingIps: floating.get(server.id) ?? [] }));
    if (!extras.userData && !extras.hostStatus) return rows;
    const { db } = this.books;
    const ids = servers.map(({ id }) => id);
    const userData = extras.userData ? await this.books.servers.userData(db, ids) : undefined;
    const nodes = extras.hostStatus ? await this.#nodesOf(servers) : undefined;
    const now = this.around.clock.now();
    return rows.map((server) => ({
      ...server,
      userData: userData?.get(server.id) ?? null,
      hostStatus: hostStatus(server.host === null ? undefined : nodes?.get(server.host), now),
    }));
  }

  floatingOf(servers: readonly Server[]): Promise<ReadonlyMap<string, readonly FloatingAddress[]>> {
    return floatingOf(this.peers, servers);
  }

  async #nodesOf(servers: readonly Server[]): Promise<Map<string, Node>> {
    const names = [...new Set(servers.map(({ host }) => host))].filter((host) => host !== null);
    const [only] = names;
    if (only === undefined) return new Map();
    const { db, nodes } = this.books;
    const found = names.length === 1 ? [await nodes.find(db, only)] : await nodes.list(db);
    return new Map(found.filter((node) => node !== undefined).map((node) => [node.name, node]));
  }

  async update(server: Server, patch: ServerPatch): Promise<Server> {
    const { db, servers, aims } = this.books;
    if (Object.keys(patch).length) {
      const isTold = patch.name !== undefined || patch.hostname !== undefined;
      await db.tx(async (tx) => {
        if (!(await servers.patch(tx, server.id, patch, this.around.clock.now()))) throw serverNotFound(server.id);
        if (isTold) await aims.renew(tx, [server.id]);
      });
    }
    return (await servers.find(db, server.id)) ?? server;
  }

  /** What needs no more than the server and its new power. */
  async power(server: Server, move: keyof typeof POWER_TASKS, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    if (PLACED_FIRST.has(move)) refuseUnplaced(server);
    const { db, servers } = this.books;
    const now = this.around.clock.now();
    await db.tx(async (tx) => {
      const moved = server.host === null ? undefined : await servers.move(tx, server.id, move, now);
      if (!moved) throw await this.wrongState(server, move);
      const input = { serverId: server.id, generation: moved.generation };
      await insertTask(tx, { ...this.task(server, asker), kind: POWER_TASKS[move], input });
    });
  }

  /** A hard one cuts short what waits for the guest, and follows it; where one follows already, that is the one asked for. */
  async reboot(server: Server, kind: RebootKind, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const { db, servers } = this.books;
    const now = this.around.clock.now();
    const move = kind === 'SOFT' ? 'rebootSoft' : 'rebootHard';
    const key = serverKey(server.id);
    await db.tx(async (tx) => {
      const overtaken = kind === 'HARD' ? (await servers.lock(tx, server.id))?.taskState : null;
      if (overtaken === 'rebooting_hard' && (await isRebootWaiting(tx, server.id))) return;
      const moved = server.host === null ? undefined : await servers.move(tx, server.id, move, now, { reboot: kind });
      if (!moved) throw await this.wrongState(server, move, 'reboot');
      const { generation, rebootCount } = moved;
      const input = { serverId: server.id, generation, rebootCount, kind };
      if (overtaken) await requestCancel(tx, key);
      await insertTask(tx, { ...this.task(server, asker), kind: SERVER_REBOOT, input, queue: Boolean(overtaken) });
    });
  }

  /**
   * Always possible, also while it is being built: what runs is turned round, the delete waits for it. Asking again while a
   * delete is under way changes nothing; after one that got stuck it begins anew.
   */
  async remove(server: Server, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    const { db, servers } = this.books;
    const now = this.around.clock.now();
    const key = serverKey(server.id);
    await db.tx(async (tx) => {
      const current = await servers.lock(tx, server.id);
      if (!current) throw serverNotFound(server.id);
      await servers.move(tx, server.id, 'remove', now);
      if (await isBeingDeleted(tx, server.id)) return;
      await withdrawWaiting(tx, key, 'the server is deleted');
      await requestCancel(tx, key);
      const input = { serverId: server.id };
      await insertTask(tx, { ...this.task(server, asker), kind: SERVER_DELETE, input, queue: true });
    });
  }

  async resetState(server: Server, state: 'active' | 'error'): Promise<void> {
    const { db, servers } = this.books;
    const move = state === 'active' ? 'resetToActive' : 'resetToError';
    const patch = state === 'active' ? { fault: null } : {};
    if (!(await servers.move(db, server.id, move, this.around.clock.now(), patch))) throw serverNotFound(server.id);
  }

  async lock(server: Server, reason: string | null, asker: Asker): Promise<void> {
    const lockedBy = asker.who.projectId === server.projectId ? 'owner' : 'admin';
    await this.update(server, { lockedBy, lockedReason: reason });
  }

  async unlock(server: Server): Promise<void> {
    await this.update(server, { lockedBy: null, lockedReason: null });
  }

  /** A task of the server's, but for its kind and input. */
  task(server: Server, { who, requestId }: Asker) {
    const { id, projectId } = server;
    return { id: this.around.ids.uuid(), key: serverKey(id), projectId, userId: who.userId, requestId };
  }

  /** Nova's sentence for a move that the server's state does not allow; `action` where Nova calls it otherwise. */
  async wrongState(server: Server, move: MoveName, action: string = move) {
    const now = (await this.books.servers.find(this.books.db, server.id)) ?? server;
    return wrongState(now, move, action);
  }
}

/** Of a server that never ran the states say nothing. */
function wrongState({ id, vmState, taskState }: Server, move: MoveName, action: string) {
  const { from, task }: Move = MOVES[move];
  if (!from.includes(vmState))
    return fail.conflict(`Cannot '${action}' instance ${id} while it is in vm_state ${vmState}`);
  if (!task.includes(taskState))
    return fail.conflict(`Cannot '${action}' instance ${id} while it is in task_state ${taskState}`);
  return fail.conflict(`Instance ${id} is in an invalid state for '${action}'`);
}

/** Throws where it is on no node. */
export function refuseUnplaced({ id, host }: Server): void {
  if (host === null) throw fail.conflict(`Instance ${id} is not ready`);
}

/** A locked server obeys administrators alone. */
export function refuseLocked(server: Server, asker: Pick<Asker, 'isAdmin'>): void {
  if (server.lockedBy !== null && !asker.isAdmin) throw fail.conflict(`Instance ${server.id} is locked`);
}

function hostStatus(node: Node | undefined, now: Date): string {
  if (!node) return '';
  if (node.disabled) return 'MAINTENANCE';
  return isNodeUp(node, now) ? 'UP' : 'DOWN';
}
