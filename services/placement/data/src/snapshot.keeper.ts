/**
 * Keeps this process's snapshot in step with the database. One statement fetches what has changed since the last time;
 * callers that come together share it. What this process writes itself is taken over at once.
 *
 * A change is found by its transaction: each refresh remembers the oldest transaction that was still open, and the next
 * one asks for everything since that, so that what commits late is not missed.
 */
import type { Db } from '#libs/platform/db';
import { type Amounts, Provider, Snapshot } from '#services/placement/domain';
import { PROVIDER_COLUMNS, type ProviderRow, toFacts } from './provider.columns.js';

type ChangeRow = { readonly horizon: string; readonly gone: readonly string[] | null } & {
  [K in keyof ProviderRow]: ProviderRow[K] | null;
};

const CHANGES = {
  name: 'placement.changes',
  text: `select h.horizon, h.gone, ${PROVIDER_COLUMNS}
    from (select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
                 (select array_agg(distinct g.id) from provider_gone g where g.changed >= $1::xid8) as gone) h
    left join provider p on p.changed >= $1::xid8`,
};

export class SnapshotKeeper {
  #snapshot = Snapshot.of([]);
  #horizon = '0';
  #freshAt = Number.NEGATIVE_INFINITY;
  #expiredAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(private readonly db: Db) {}

  /** The snapshot as it is, without a look at the database. */
  get current(): Snapshot {
    return this.#snapshot;
  }

  /** A snapshot with everything that was committed `maxAgeMs` ago or earlier: with 0, before this call. */
  async fresh(maxAgeMs = 0): Promise<Snapshot> {
    const isOld = performance.now() - this.#freshAt > maxAgeMs || this.#freshAt <= this.#expiredAt;
    if (isOld) await this.#refresh();
    return this.#snapshot;
  }

  /** Something was written that the next claim must not miss. */
  expire(): void {
    this.#expiredAt = performance.now();
  }

  /** What a claim of this process has left a provider with. An older state than the known one changes nothing. */
  used(id: string, generation: number, used: Amounts): void {
    const known = this.#snapshot.find(id);
    if (!known || known.facts.generation >= generation) return;
    this.#snapshot = this.#snapshot.with([new Provider({ ...known.facts, generation, used })]);
  }

  /** A refresh that is under way may have missed what the caller knows of: wait for the one after it. */
  #refresh(): Promise<void> {
    if (!this.#running) return this.#begin();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    const running = this.#fetch().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #fetch(): Promise<void> {
    const begun = performance.now();
    const rows = await this.db.query<ChangeRow>(CHANGES, [this.#horizon]);
    const changed = rows.filter((row): row is ChangeRow & ProviderRow => row.id !== null);
    // Of two states of one provider the newer counts (what we wrote ourselves may be ahead of this look); of one that is
    // gone and back, the one that is back.
    const gone = rows[0]?.gone ?? [];
    const base = gone.length ? this.#snapshot.with([], gone) : this.#snapshot;
    const news = changed.filter((row) => isNews(base.find(row.id), row));
    this.#snapshot = base.with(news.map((row) => new Provider(toFacts(row))));
    this.#horizon = rows[0]?.horizon ?? this.#horizon;
    this.#freshAt = begun;
  }
}

/** Aggregates were set without raising the generation before 1.19; then the time tells. */
function isNews(known: Provider | undefined, row: ProviderRow): boolean {
  if (!known || known.facts.generation < row.generation) return true;
  return known.facts.generation === row.generation && known.facts.updatedAt.getTime() !== row.updated_at.getTime();
}
