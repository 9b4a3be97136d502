/** The marks that the reconciler works off, and all that it reads for them. */
import type { Db, Sql } from '#libs/platform/db';
import { type Mark, type MarkKind, markSelected } from './journal.js';

export interface PendingMark {
  readonly kind: MarkKind;
  readonly id: string;
  readonly since: Date;
  readonly tries: number;
  readonly error: string;
}

export class DirtyRepo {
  constructor(private readonly db: Db) {}

  /** The oldest marks that are due, at most `limit`. */
  async due(now: Date, limit: number): Promise<Mark[]> {
    return this.db.query<Mark>(
      {
        name: 'dirty-due',
        text: 'select kind, id, mark, tries from ovn_dirty where not_before <= $1 order by mark limit $2',
      },
      [now, limit],
    );
  }

  /** When the next mark that waits will be due, or undefined. */
  async nextDue(): Promise<Date | undefined> {
    const row = await this.db.one<{ at: Date | null }>('select min(not_before) as at from ovn_dirty');
    return row?.at ?? undefined;
  }

  /** Takes marks away that were not set again since they were read. */
  async clear(marks: readonly Mark[]): Promise<void> {
    await this.db.exec(
      {
        name: 'dirty-clear',
        text: `delete from ovn_dirty d using unnest($1::text[], $2::uuid[], $3::bigint[]) m(kind, id, mark)
          where d.kind = m.kind and d.id = m.id and d.mark = m.mark`,
      },
      [marks.map((mark) => mark.kind), marks.map((mark) => mark.id), marks.map((mark) => mark.mark)],
    );
  }

  /** Keeps a mark that could not be applied for a later time, with the reason. */
  async postpone(mark: Mark, error: string, until: Date): Promise<void> {
    await this.db.exec(
      `update ovn_dirty set tries = tries + 1, error = $4, not_before = $5 where kind = $1 and id = $2 and mark = $3`,
      [mark.kind, mark.id, mark.mark, error.slice(0, 2000), until],
    );
  }

  /**
   * Marks what was found to differ, without counting as a change: what was set apart keeps its time. A mark that is
   * there is renewed, for it may be in work on what was read before.
   */
  async mark(kind: MarkKind, ids: readonly string[], now: Date): Promise<void> {
    if (ids.length === 0) return;
    await this.db.exec(
      `insert into ovn_dirty (kind, id, since, not_before) select $1, i, $3, $3 from unnest($2::uuid[]) i order by i
       on conflict (kind, id) do update set mark = nextval('ovn_mark')`,
      [kind, ids, now],
    );
  }

  /** Marks all routers that have a way out, and wakes whoever works off marks. */
  async markGateways(now: Date): Promise<void> {
    await this.db.tx((tx) =>
      markSelected(tx, 'router', 'select id from router where gateway_port_id is not null', [], now),
    );
  }

  async pending(on: Sql, limit = 10_000): Promise<PendingMark[]> {
    return on.query('select kind, id, since, tries, error from ovn_dirty order by mark limit $1', [limit]);
  }

  async pendingOf(on: Sql, id: string): Promise<PendingMark[]> {
    return on.query('select kind, id, since, tries, error from ovn_dirty where id = $1', [id]);
  }

  /** Ids of everything of a kind, in pieces. */
  async *allIds(kind: MarkKind, piece: number): AsyncGenerator<string[]> {
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const rows = await this.db.query<{ id: string }>(`select id from ${kind} where id > $1 order by id limit $2`, [
        after,
        piece,
      ]);
      if (rows.length === 0) return;
      yield rows.map((row) => row.id);
      after = rows.at(-1)!.id;
    }
  }

  /** Draws the number of a new reconciler; higher than every earlier one. */
  async drawReconciler(): Promise<number> {
    const row = await this.db.one<{ n: number }>(`select nextval('ovn_reconciler') as n`);
    return row?.n ?? 0;
  }
}
