/** Tags of whatever has a row with tags. The table is one of ours, named by the registry of the API. */
import type { Db, Tx } from '#libs/platform/db';
import { checkedTags } from '#services/network/domain';
import { record } from './journal.js';
import { expectRevision } from './revision.js';

export interface Tagged {
  readonly table: string;
  readonly id: string;
}

export class TagStore {
  constructor(private readonly db: Db) {}

  /** `decide` sees the tags as they are under lock; the revision rises only where they change. Gone: undefined. */
  change(
    { table, id }: Tagged,
    decide: (tags: readonly string[]) => readonly string[],
    now: Date,
    revision?: number,
  ): Promise<readonly string[] | undefined> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, table, id, revision);
      const row = await tx.one<{ tags: readonly string[] }>(
        `select tags from ${table} where id = $1 for no key update`,
        [id],
      );
      if (!row) return undefined;
      const tags = checkedTags(decide(row.tags));
      if (tags.join() !== [...row.tags].sort().join()) await this.write(tx, { table, id }, tags, now);
      return tags;
    });
  }

  private async write(tx: Tx, { table, id }: Tagged, tags: readonly string[], now: Date): Promise<void> {
    await tx.exec(`update ${table} set tags = $2, revision = revision + 1, updated_at = $3 where id = $1`, [
      id,
      tags,
      now,
    ]);
    await record(tx, [{ resourceId: id, what: 'tags changed', detail: tags.join(', ') }], now);
  }
}
