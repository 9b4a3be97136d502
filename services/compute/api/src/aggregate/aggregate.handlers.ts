import { Injectable } from '@nestjs/common';
import { type Failure, fail, isFailure } from '#libs/kernel';
import type { Tx } from '#libs/platform/db';
import { insertTask } from '#libs/platform/flow';
import { NODE_CHANNEL } from '#services/compute/data';
import {
  type Aggregate,
  IMAGE_HOLD,
  type ImageHoldInput,
  metadataTrouble,
  ZONE_KEY,
  zoneOf,
  zoneTrouble,
} from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { untilTold } from '../node/node-told.js';
import type { Asker } from '../server/server.handlers.js';

export interface AggregateChange {
  readonly name?: string;
  readonly zone?: string | null;
}

type Refuse = (reason: string) => Failure;
const badUpdate =
  (id: number, what: string): Refuse =>
  (reason) =>
    fail.invalid(`Cannot update ${what} ${id}. Reason: ${reason}.`);
const missing = (id: number | string) => fail.notFound(`Aggregate ${String(id).slice(0, 64)} could not be found.`);
const inUse = (host: string, id: number) => fail.conflict(`Cannot remove host ${host} in aggregate ${id}`);

@Injectable()
export class AggregateHandlers {
  constructor(
    private readonly books: Books,
    private readonly around: Surroundings,
    private readonly peers: Peers,
  ) {}

  list(): Promise<Aggregate[]> {
    return this.books.aggregates.list(this.books.db);
  }

  async find(id: number): Promise<Aggregate> {
    const aggregate = await this.books.aggregates.find(this.books.db, id);
    if (!aggregate) throw missing(id);
    return aggregate;
  }

  async create(name: string, zone: string | null): Promise<Aggregate> {
    const { db, aggregates } = this.books;
    const metadata: Record<string, string> = zone === null ? {} : { [ZONE_KEY]: zone };
    const fresh = { id: this.around.ids.uuid(), name, metadata, createdAt: this.around.clock.now() };
    return db.tx((tx) => aggregates.insert(tx, fresh));
  }

  update(id: number, { name, zone }: AggregateChange): Promise<Aggregate> {
    return this.#change(id, async (tx, known) => {
      const metadata = zone === undefined ? known.metadata : { ...known.metadata, [ZONE_KEY]: zone ?? '' };
      if (zone !== undefined) await this.#checkZone(tx, known, zone, badUpdate(id, 'aggregate'));
      await this.books.aggregates.update(tx, { number: id, name: name ?? known.name, metadata }, this.#now());
      return zone === undefined ? [] : known.hosts;
    });
  }

  /** Null takes a key away. */
  setMetadata(id: number, patch: Readonly<Record<string, string | null>>): Promise<Aggregate> {
    const trouble = metadataTrouble(patch);
    if (trouble) throw trouble;
    return this.#change(id, async (tx, known) => {
      const zone = patch[ZONE_KEY];
      if (zone !== undefined) await this.#checkZone(tx, known, zone, badUpdate(id, 'metadata of aggregate'));
      const merged = Object.entries({ ...known.metadata, ...patch }).filter(([, value]) => value !== null);
      const metadata = Object.fromEntries(merged) as Record<string, string>;
      await this.books.aggregates.update(tx, { number: id, name: known.name, metadata }, this.#now());
      return known.hosts;
    });
  }

  async remove(id: number): Promise<void> {
    const { db, aggregates } = this.books;
    await db.tx(async (tx) => {
      const known = await this.#held(tx, id);
      if (known.hosts.length)
        throw fail.invalid(`Cannot remove host from aggregate ${id}. Reason: Host aggregate is not empty.`);
      await aggregates.remove(tx, id);
    });
  }

  addHost(id: number, host: string): Promise<Aggregate> {
    const refuse: Refuse = (reason) => fail.conflict(`Cannot add host to aggregate ${id}. Reason: ${reason}.`);
    return this.#change(id, async (tx, known) => {
      const { nodes, aggregates } = this.books;
      if (!(await nodes.find(tx, host))) throw fail.notFound(`Compute host ${host.slice(0, 64)} could not be found.`);
      const zone = zoneOf(known);
      if (zone !== null) {
        const otherZones = await aggregates.otherZones(tx, id, [host]);
        const facts = { otherZones, occupied: await aggregates.occupied(tx, [host], zone) };
        const trouble = zoneTrouble({ name: known.name, metadata: {} }, zone, facts);
        if (trouble) throw refuse(trouble);
      }
      if (!(await aggregates.addHost(tx, id, host))) throw fail.conflict(`Aggregate ${id} already has host ${host}.`);
      return [host];
    });
  }

  removeHost(id: number, host: string): Promise<Aggregate> {
    return this.#change(id, async (tx, known) => {
      const { aggregates } = this.books;
      const own = await aggregates.ownZone(tx, host);
      if (!(await aggregates.removeHost(tx, id, host)))
        throw fail.notFound(`Cannot remove host ${host.slice(0, 64)} in aggregate ${id}`);
      const [left] = await aggregates.otherZones(tx, id, [host]);
      const zone = left ?? own ?? '';
      if (zoneOf(known) !== null && zone !== zoneOf(known) && (await aggregates.occupied(tx, [host], zone)))
        throw inUse(host, id);
      return [host];
    });
  }

  /** Has every node fetch those images; where one is at it already, it goes on with that. */
  async holdImages(id: number, imageIds: readonly string[], { who, isAdmin, requestId }: Asker): Promise<void> {
    const { hosts } = await this.find(id);
    const asked = { projectId: who.projectId ?? '', allProjects: isAdmin };
    for (const imageId of imageIds) await this.#checkImage({ imageId, ...asked });
    const base = { kind: IMAGE_HOLD, projectId: asked.projectId, userId: who.userId, requestId };
    await this.books.db.tx(async (tx) => {
      for (const input of hosts.flatMap((node) => imageIds.map((imageId): ImageHoldInput => ({ imageId, node })))) {
        const key = `image/${input.imageId}/${input.node}`;
        await insertTask(tx, { ...base, id: this.around.ids.uuid(), key, input }).catch(unlessAtIt);
      }
    });
  }

  async #checkImage(asked: { imageId: string; projectId: string; allProjects: boolean }): Promise<void> {
    try {
      await this.peers.image.describe(asked);
    } catch (error) {
      if (!isFailure(error, 'notFound')) throw error;
      throw fail.notFound(`Image ${asked.imageId} could not be found.`, { cause: error });
    }
  }

  /** One change under the lock; `change` returns the nodes that it concerns, of which the worker hears. */
  async #change(id: number, change: (tx: Tx, known: Aggregate) => Promise<readonly string[]>): Promise<Aggregate> {
    const { db, aggregates } = this.books;
    const { aggregate, concerned } = await db.tx(async (tx) => {
      const hosts = await change(tx, await this.#held(tx, id));
      await aggregates.rezone(tx, hosts);
      for (const host of hosts) tx.notify(NODE_CHANNEL, host);
      return { aggregate: (await aggregates.find(tx, id))!, concerned: hosts };
    });
    await untilTold(this.books, this.around, concerned);
    return aggregate;
  }

  async #held(tx: Tx, id: number): Promise<Aggregate> {
    await this.books.aggregates.lock(tx);
    const known = await this.books.aggregates.find(tx, id);
    if (!known) throw missing(id);
    return known;
  }

  async #checkZone(tx: Tx, known: Aggregate, zone: string | null, refuse: Refuse): Promise<void> {
    const { aggregates } = this.books;
    const otherZones = await aggregates.otherZones(tx, known.number, known.hosts);
    const facts = { otherZones, occupied: await aggregates.occupied(tx, known.hosts) };
    const trouble = zoneTrouble(known, zone, facts);
    if (trouble) throw refuse(trouble);
  }

  #now(): Date {
    return this.around.clock.now();
  }
}

function unlessAtIt(error: unknown): void {
  if (!isFailure(error, 'conflict')) throw error;
}
