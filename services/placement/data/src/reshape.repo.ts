/** Inventories and allocations of several providers and consumers, moved together or not at all. */
import type { Db } from '#libs/platform/db';
import type { Inventories } from '#services/placement/domain';
import { type ConsumerWish, writeAllocations } from './allocation.repo.js';
import { changeProvider, refuseInUse } from './provider.repo.js';

export interface InventoryMove {
  readonly providerId: string;
  readonly generation: number;
  readonly inventories: Inventories;
}

export class ReshapeRepo {
  constructor(private readonly db: Db) {}

  /** While it runs a provider may hold what its new inventories no longer offer; when it ends, not. */
  reshape(moves: readonly InventoryMove[], wishes: readonly ConsumerWish[]): Promise<void> {
    const ordered = [...moves].sort((a, b) => (a.providerId < b.providerId ? -1 : 1));
    return this.db.tx(async (tx) => {
      for (const { providerId, generation, inventories } of ordered) {
        await changeProvider(tx, providerId, generation, { inventories }, 'later');
      }
      await writeAllocations(tx, wishes);
      const after = await tx.query<{ id: string; used: Record<string, number>; inventories: Inventories }>(
        'select id, used, inventories from provider where id = any ($1)',
        [ordered.map((move) => move.providerId)],
      );
      for (const row of after) refuseInUse(row, row.inventories);
    });
  }
}
