/** Interfaces of a server: what network says of them, and tasks that attach and detach. */
import { Injectable } from '@nestjs/common';
import { Failure, fail, isFailure } from '#libs/kernel';
import { insertTask } from '#libs/platform/flow';
import {
  type Nic,
  ownPorts,
  SERVER_ATTACH_INTERFACE,
  SERVER_DETACH_INTERFACE,
  type Server,
} from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { type Asker, refuseLocked, ServerHandlers } from './server.handlers.js';
import type { Attachment } from './server-interface.wire.js';
import { endOf } from './server-task.js';

export interface InterfaceWish {
  readonly portId: string;
  readonly networkId: string;
  readonly fixedIp: string;
  readonly tag: string;
}

/** Clients expect the interface to be there with the answer: so long it is waited for. */
const WAIT_MS = 30_000;

@Injectable()
export class ServerInterfaceHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly peers: Peers,
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** In the order of the server's interfaces. */
  async list(server: Server): Promise<Attachment[]> {
    const { servers } = await this.peers.network.listForServers({ serverIds: [server.id] });
    const ports = ownPorts(server, servers.find(({ serverId }) => serverId === server.id)?.ports ?? []);
    return ports.map((port) => ({
      ...port,
      interfaceTag: server.nics.find(({ portId }) => portId === port.id)?.tag || null,
    }));
  }

  async one(server: Server, portId: string): Promise<Attachment | undefined> {
    return (await this.list(server)).find(({ id }) => id === portId);
  }

  /** The interface as it is once the node has plugged it, or as far as it has come after a while. */
  async attach(server: Server, wish: InterfaceWish, asker: Asker): Promise<Attachment> {
    refuseLocked(server, asker);
    const nic = await this.#checked(server, wish, asker);
    const input = { serverId: server.id, nic, securityGroupIds: [] };
    const taskId = await this.#insert(server, 'attach_interface', SERVER_ATTACH_INTERFACE, input, asker);
    await this.#settled(taskId);
    const current = (await this.books.servers.find(this.books.db, server.id)) ?? server;
    const attached = await this.one(current, nic.portId);
    if (!attached) throw fail.internal('Failed to attach the interface.');
    return attached;
  }

  async detach(server: Server, portId: string, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    if (!server.nics.some((nic) => nic.portId === portId)) throw fail.notFound(`Port id ${portId} could not be found.`);
    const input = { serverId: server.id, portId };
    await this.#insert(server, 'detach_interface', SERVER_DETACH_INTERFACE, input, asker);
  }

  async #insert(server: Server, action: string, kind: string, input: object, asker: Asker): Promise<string> {
    const { db, servers } = this.books;
    const task = this.servers.task(server, asker);
    await db.tx(async (tx) => {
      const moved = await servers.move(tx, server.id, 'changeInterfaces', this.around.clock.now());
      if (!moved || server.host === null) throw await this.servers.wrongState(server, 'changeInterfaces', action);
      await insertTask(tx, { ...task, kind, input });
    });
    return task.id;
  }

  async #checked(server: Server, wish: InterfaceWish, { isAdmin }: Asker): Promise<Nic> {
    const asked = wish.portId || wish.networkId ? [{ ...wish, adopt: wish.portId !== '' }] : [];
    try {
      const { nics } = await this.peers.network.validate({
        projectId: server.projectId,
        nics: asked,
        securityGroups: [],
        count: 1,
        auto: !asked.length,
        allocate: false,
        isAdmin,
      });
      const [nic] = nics;
      if (!nic) throw fail.invalid('No networks are available to attach an interface to.');
      return { ...nic, portId: nic.adopt ? nic.portId : this.around.ids.uuid(), tag: wish.tag };
    } catch (error) {
      // A port in use and several networks are wrong requests here; what is not there is not found.
      if (isFailure(error, 'conflict') || isFailure(error, 'preconditionFailed'))
        throw fail.invalid(error.message, { cause: error });
      throw error;
    }
  }

  /** Throws why the task turned round. */
  async #settled(taskId: string): Promise<void> {
    const end = await endOf(this.books.db, taskId, WAIT_MS);
    if (!end || end.state === 'done') return;
    throw refused(end.failureKind ?? 'internal', end.failure ?? 'Failed to attach the interface.');
  }
}

/** What network or the quota said is the tenant's to hear as it is; what a node said is a failure of the cloud. */
function refused(kind: Failure['kind'], message: string): Failure {
  return new Failure(kind === 'conflict' || kind === 'unavailable' ? 'internal' : kind, message);
}
