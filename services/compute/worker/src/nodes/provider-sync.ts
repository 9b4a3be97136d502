/**
 * Keeps placement's picture of each node true. `node.told` is what placement certainly knows: it is emptied before a node
 * is opened and set after one is closed, so a node that counts as closed is closed whatever died in between.
 */
import { placementV1 } from '#libs/contract';
import type { Db } from '#libs/platform/db';
import type { NodeRepo, NodeStateRepo } from '#services/compute/data';
import { OPEN } from '#services/compute/data';
import type { Node } from '#services/compute/domain';
import type { WorkerOptions } from '../options.js';
import type { Placement } from '../peers.js';
import { closedReason, inventoriesOf } from './inventory.js';

interface Deps {
  readonly db: Db;
  readonly nodes: NodeRepo;
  readonly states: NodeStateRepo;
  readonly placement: Placement;
  readonly options: WorkerOptions;
  readonly now: () => Date;
}

export class ProviderSync {
  constructor(private readonly deps: Deps) {}

  /** Tells placement what the node is now. One at a time for each node, over all processes. Throws when it is not reached. */
  async sync(name: string): Promise<void> {
    await this.deps.db.tx(async (tx) => {
      await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`node/${name}`]);
      const node = await this.deps.nodes.find(this.deps.db, name);
      if (node) await this.#tell(node);
    });
  }

  async #tell(node: Node): Promise<void> {
    const { db, states, placement, options, now } = this.deps;
    const closed = closedReason(node);
    if (closed === undefined) await states.told(db, node.name, '', now());
    await placement.ensureProvider(
      placementV1.EnsureProviderRequest.fromPartial({
        providerId: node.hypervisorId,
        name: node.name,
        inventories: inventoriesOf(node, options),
        traits: traitsOf(node),
        disabled: closed !== undefined,
        disabledReason: closed ?? '',
        availabilityZone: node.availabilityZone,
      }),
    );
    await states.told(db, node.name, closed ?? OPEN, now());
  }
}

const traitsOf = (node: Node): string[] => {
  const accel = node.accel.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
  return accel ? [`CUSTOM_ACCEL_${accel}`] : [];
};
