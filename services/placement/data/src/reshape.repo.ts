/** Inventories and allocations of several providers and consumers, moved together or not at all. */
import { fail } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import type { Inventories } from '#services/placement/domain';
import { CONCURRENT, type ConsumerWish, lockBooks, writeAllocations } from './allocation.repo.js';
import { changeProvider } from './provider.repo.js';

export interface InventoryMove {
  readonly providerId: string;
  readonly generation: number;
  readonly inventories: Inventories;
}

export class ReshapeRepo {
  constructor(private readonly db: Db) {}

  /**
   * First every provider offers what it did and what it shall, then the allocations move, then it offers only what it
   * shall: a class of which something is still held then refuses the whole.
   */
  reshape(moves: readonly InventoryMove[], wishes: readonly ConsumerWish[]): Promise<void> {
    const ordered = [...moves].sort((a, b) => (a.providerId < b.providerId ? -1 : 1));
    return this.db.tx(async (tx) => {
      await lockBooks(
        tx,
        wishes,
        ordered.map(({ providerId }) => providerId),
      );
      for (const move of ordered) await offerBoth(tx, move);
      await writeAllocations(tx, wishes);
      for (const { providerId, inventories } of ordered) {
        await changeProvider(tx, providerId, undefined, { inventories });
      }
    });
  }
}

async function offerBoth(tx: Tx, { providerId, generation, inventories }: InventoryMove): Promise<void> {
  const known = await tx.one<{ generation: number; inventories: Inventories }>(
    'select generation, inventories from provider where id = $1 for no key update',
    [providerId],
  );
  if (!known) {
    throw fail.invalid(`Resource provider ${providerId} in inventories not found: it does not exist.`, {
      type: 'placement.resource_provider.not_found',
    });
  }
  if (known.generation !== generation) {
    throw fail.conflict(
      `resource provider generation conflict for provider ${providerId}: actual: ${known.generation}, given: ${generation}`,
      CONCURRENT,
    );
  }
  if (!Object.keys(inventories).length) return;
  await changeProvider(tx, providerId, generation, { inventories: { ...known.inventories, ...inventories } });
}
