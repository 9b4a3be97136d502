/** A change that a client made conditional on the revision it saw (`If-Match`). */
import { fail } from '#libs/kernel';
import type { Tx } from '#libs/platform/db';

/**
 * Locks the row and throws `RevisionNumberConstraintFailed` unless it is still of that revision. A row that is gone
 * passes: its absence is for the caller to tell. `table` is one of ours, never a client's text.
 */
export async function expectRevision(tx: Tx, table: string, id: string, revision: number | undefined): Promise<void> {
  if (revision === undefined) return;
  const row = await tx.one<{ revision: number }>(`select revision from ${table} where id = $1 for update`, [id]);
  if (row && row.revision !== revision) {
    throw fail.preconditionFailed(`Constrained to ${revision}, but current revision is ${row.revision}`, {
      type: 'RevisionNumberConstraintFailed',
    });
  }
}
