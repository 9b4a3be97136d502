import { Injectable } from '@nestjs/common';
import { fail, isUuid } from '#libs/kernel';
import {
  type HostUsage,
  NODE_CHANNEL,
  type ProjectShare,
  serversOnHosts,
  usageOfHosts,
  usageOnHost,
} from '#services/compute/data';
import { isNodeUp, type Node } from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import { untilTold } from './node-told.js';

/** A node, and whether it is heard of. */
export interface SeenNode extends Node {
  readonly up: boolean;
}

/** A node with what operators are shown of it. */
export interface NodeRow extends SeenNode {
  readonly used: HostUsage;
  readonly servers: readonly { readonly id: string; readonly name: string }[];
}

export interface ServiceChange {
  readonly disabled?: boolean;
  readonly reason?: string | null;
  readonly forcedDown?: boolean;
}

const missingHypervisor = (id: string) => fail.notFound(`Hypervisor with ID '${id.slice(0, 64)}' could not be found.`);
function refuseNoUuid(id: string): void {
  if (!isUuid(id)) throw fail.invalid(`Invalid uuid ${id.slice(0, 64)}`);
}

const missing = (id: string) => fail.notFound(`Compute host ${id.slice(0, 64)} could not be found.`);

@Injectable()
export class NodeHandlers {
  constructor(
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  now(): Date {
    return this.around.clock.now();
  }

  /** All of them, without what servers take of each: that is a sum over every server. */
  async seen(): Promise<SeenNode[]> {
    const now = this.now();
    return (await this.books.nodes.list(this.books.db)).map((node) => ({ ...node, up: isNodeUp(node, now) }));
  }

  /** One by its name, with what servers take of it. */
  async named(name: string): Promise<NodeRow> {
    const node = await this.books.nodes.find(this.books.db, name);
    if (!node) throw missing(name);
    const [row] = await this.#rows([node], false);
    return row!;
  }

  /** One more than the limit where there is a next page. The marker is an id as the version has it. */
  async page(after: string | undefined, limit: number, byUuid: boolean, withServers: boolean): Promise<NodeRow[]> {
    const { db, nodes } = this.books;
    const known = after === undefined ? undefined : await this.#marker(after, byUuid);
    return this.#rows(await nodes.page(db, known?.number ?? 0, limit + 1), withServers);
  }

  async #marker(id: string, byUuid: boolean): Promise<Node> {
    const byHypervisorId = async () =>
      isUuid(id) ? this.books.nodes.findByHypervisorId(this.books.db, id) : undefined;
    const node = byUuid ? await byHypervisorId() : await this.#byNumber(id);
    if (!node) throw fail.invalid(`marker [${id.slice(0, 64)}] not found`);
    return node;
  }

  async list(withServers = false): Promise<NodeRow[]> {
    return this.#rows(await this.books.nodes.list(this.books.db), withServers);
  }

  /** By its uuid, or by its small number at the older versions. */
  async find(id: string, byUuid: boolean, withServers = false): Promise<NodeRow> {
    const { db, nodes } = this.books;
    if (byUuid) refuseNoUuid(id);
    const node = byUuid ? await nodes.findByHypervisorId(db, id) : await this.#byNumber(id);
    if (!node) throw missingHypervisor(id);
    const [row] = await this.#rows([node], withServers);
    return row!;
  }

  /** What the servers of each project take of a node. */
  usageByProject(name: string): Promise<ProjectShare[]> {
    return usageOnHost(this.books.db, name);
  }

  /** By its uuid, or by its small number at the older versions. */
  async findService(id: string, byUuid = true): Promise<NodeRow> {
    const { db, nodes } = this.books;
    if (byUuid) refuseNoUuid(id);
    const node = byUuid ? await nodes.findByServiceId(db, id) : await this.#byNumber(id);
    if (!node) throw fail.notFound(`Service ${id.slice(0, 64)} not found.`);
    const [row] = await this.#rows([node], false);
    return row!;
  }

  /** Also tells the worker, which tells placement. */
  async change(name: string, change: ServiceChange): Promise<NodeRow> {
    const { db, nodes } = this.books;
    const now = this.around.clock.now();
    const node = await db.tx(async (tx) => {
      let row = await nodes.find(tx, name);
      if (change.disabled !== undefined)
        row = await nodes.setDisabled(tx, name, change.disabled, change.reason ?? null, now);
      if (change.forcedDown !== undefined) row = await nodes.setForcedDown(tx, name, change.forcedDown, now);
      if (!row) throw missing(name);
      tx.notify(NODE_CHANNEL, name);
      return row;
    });
    await untilTold(this.books, this.around, [name]);
    const [row] = await this.#rows([node], false);
    return row!;
  }

  /** Forgets a node on which no server is; the worker takes it out of placement. One that still runs enrols anew. */
  async remove(name: string): Promise<void> {
    const { db, nodes } = this.books;
    await db.tx(async (tx) => {
      if (!(await nodes.remove(tx, name, this.around.clock.now())))
        throw fail.conflict(
          'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
        );
      tx.notify(NODE_CHANNEL, name);
    });
  }

  async #byNumber(id: string): Promise<Node | undefined> {
    return /^\d{1,9}$/.test(id) ? this.books.nodes.findByNumber(this.books.db, Number(id)) : undefined;
  }

  async #rows(nodes: readonly Node[], withServers: boolean): Promise<NodeRow[]> {
    const { db } = this.books;
    const names = nodes.map(({ name }) => name);
    const [used, servers] = await Promise.all([
      usageOfHosts(db, names),
      withServers ? serversOnHosts(db, names) : new Map<string, { id: string; name: string }[]>(),
    ]);
    const now = this.around.clock.now();
    return nodes.map((node) => ({
      ...node,
      up: isNodeUp(node, now),
      used: used(node.name),
      servers: servers.get(node.name) ?? [],
    }));
  }
}
