/**
 * Keeps placement's picture of each node true. `node.told` is what placement certainly knows: it is emptied before a node
 * is opened and set after one is closed, so a node that counts as closed is closed whatever died in between. One call for
 * each node at a time.
 */
import { placementV1 } from '#libs/contract';
import { isFailure } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { AggregateRepo, NodeRepo, NodeStateRepo } from '#services/compute/data';
import { OPEN } from '#services/compute/data';
import { labelsIn, type Node } from '#services/compute/domain';
import type { WorkerOptions } from '../options.js';
import type { Placement } from '../peers.js';
import { closedReason, inventoriesOf } from './inventory.js';
import { attributesOf, numaOf, traitsOf } from './node-profile.js';

interface Deps {
  readonly db: Db;
  readonly nodes: NodeRepo;
  readonly states: NodeStateRepo;
  readonly aggregates: AggregateRepo;
  readonly placement: Placement;
  readonly options: WorkerOptions;
  readonly now: () => Date;
}

export class ProviderSync {
  /** The latest call for each node. */
  readonly #calls = new Map<string, Promise<void>>();

  constructor(private readonly deps: Deps) {}

  /** Tells placement what the node is now. Throws when it is not reached. */
  async sync(name: string): Promise<void> {
    const before = this.#calls.get(name) ?? Promise.resolve();
    const call = before.catch(() => undefined).then(() => this.#sync(name));
    this.#calls.set(name, call);
    try {
      await call;
    } finally {
      if (this.#calls.get(name) === call) this.#calls.delete(name);
    }
  }

  async #sync(name: string): Promise<void> {
    const { db, nodes } = this.deps;
    const node = await nodes.find(db, name);
    if (node) await this.#tell(node);
    else await this.#forget(name);
  }

  /** An operator took the node away. One that comes back is told of after this, as calls for a node take turns. */
  async #forget(name: string): Promise<void> {
    const { db, nodes, placement } = this.deps;
    const providerId = await nodes.goneId(db, name);
    if (providerId === undefined) return;
    try {
      await placement.removeProvider({ providerId });
    } catch (error) {
      // Claims of servers whose release is on its way still stand for it.
      if (isFailure(error, 'conflict')) return;
      throw error;
    }
    await nodes.settleGone(db, name);
  }

  async #tell(node: Node): Promise<void> {
    const { db, states, aggregates, placement, options, now } = this.deps;
    const groups = await aggregates.ofHost(db, node.name);
    const labels = Object.entries(labelsIn(groups)).map(([key, values]) => [key, { values }]);
    const closed = closedReason(node);
    if (closed === undefined) await states.told(db, node.name, '', now());
    await placement.ensureProvider(
      placementV1.EnsureProviderRequest.fromPartial({
        providerId: node.hypervisorId,
        name: node.name,
        inventories: inventoriesOf(node, options, groups),
        traits: traitsOf(node),
        disabled: closed !== undefined,
        disabledReason: closed ?? '',
        availabilityZone: node.availabilityZone,
        aggregates: groups.map(({ id }) => id),
        labels: Object.fromEntries(labels),
        attributes: attributesOf(node),
        numa: numaOf(node),
      }),
    );
    await states.told(db, node.name, closed ?? OPEN, now(), node.revision);
  }
}
