/**
 * Every revocation that may still concern a token, in memory and in order, read from the table. Notifications make it
 * prompt and a look each second makes it certain; only after a look is the verifier told that the feed lives, so a
 * process that is cut off from the database stops judging tokens instead of judging them by old knowledge.
 */
import { type Clock, delay, fail } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Log } from '#libs/platform/log';
import type { Revocation, TokenVerifier } from '#libs/platform/policy';
import { Joined } from './joined.js';

export const REVOKED = 'identity_revoked';
const BEAT_MS = 1_000;
/** More revocations than any cloud writes between two copies of its database. */
const FARTHEST_LIFT = 1e12;

interface Row {
  ledger_seq: number;
  seq: number | null;
  issued_before_ms: number;
  until_ms: number;
  audit_id: string | null;
  user_id: string | null;
  project_id: string | null;
  domain_id: string | null;
  role_id: string | null;
  delegation_id: string | null;
}

const fromRow = (row: Row, seq: number): Revocation => ({
  seq,
  issuedBeforeMs: row.issued_before_ms,
  untilMs: row.until_ms,
  auditId: row.audit_id ?? undefined,
  userId: row.user_id ?? undefined,
  projectId: row.project_id ?? undefined,
  domainId: row.domain_id ?? undefined,
  roleId: row.role_id ?? undefined,
  delegationId: row.delegation_id ?? undefined,
});

/** The ledger's number and what is newer than $1, in one snapshot: rows that concern no token any more may be gone. */
const NEWER = {
  name: 'identity.revocations.newer',
  text: `select l.revocation_seq as ledger_seq, r.*
    from ledger l left join revocations r on r.seq > $1 and r.until_ms > $2 order by r.seq`,
};
const SEQ = { name: 'identity.revocations.seq', text: 'select revocation_seq as seq from ledger' };

export interface Follower {
  revoked(revocation: Revocation): void;
  /** Everything up to `seq` was delivered. */
  beat(seq: number, nowMs: number): void;
}

export class RevocationLog {
  readonly #followers = new Set<Follower>();
  readonly #stopped = new AbortController();
  #entries: Revocation[] = [];
  #lastSeq = 0;
  readonly #pulls = new Joined(() => this.#read());
  readonly #looks = new Joined(() => this.#look());
  #seenAtMs = 0;

  constructor(
    private readonly db: Db,
    private readonly verifier: TokenVerifier,
    private readonly clock: Clock,
    private readonly log?: Log,
  ) {}

  /** The number up to which everything is known here. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get followers(): number {
    return this.#followers.size;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** True while the database has been heard within the time that tokens may be judged without it. */
  get alive(): boolean {
    return this.clock.now().getTime() - this.#seenAtMs < 5_000;
  }

  /** Aborted by `stop`: followers are to look elsewhere. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Loads everything, then keeps up until stopped. */
  async start(): Promise<void> {
    await this.pull();
    await this.db.listen(REVOKED, () => void this.pull().catch(() => undefined));
    void this.#beats();
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Reads what is new. Resolves when everything is known that was committed before the call. */
  pull(): Promise<void> {
    return this.#pulls.run();
  }

  /** Like `pull`, at the price of one number where nothing is new. */
  catchUp(): Promise<void> {
    return this.#looks.run();
  }

  /** Delivers everything after `afterSeq`, then what comes. Returns how to stop. */
  async follow(afterSeq: number, follower: Follower): Promise<() => void> {
    await this.pull();
    if (afterSeq > this.#lastSeq) await this.#lift(afterSeq);
    for (const entry of this.#entries) if (entry.seq > afterSeq) follower.revoked(entry);
    follower.beat(this.#lastSeq, this.clock.now().getTime());
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /**
   * A follower that has seen more than the ledger holds shows that the database was restored from a copy. Everything is
   * numbered anew above what was seen, so that no number means two things and nothing written since the copy is missed.
   */
  async #lift(seen: number): Promise<void> {
    if (seen - this.#lastSeq > FARTHEST_LIFT) throw fail.invalid(`no ledger has ever reached ${seen}`);
    const lifted = await this.db.tx(async (tx) => {
      const ledger = await tx.one<{ seq: number }>('select revocation_seq as seq from ledger for update');
      if ((ledger?.seq ?? 0) >= seen) return false;
      await tx.exec('update revocations set seq = seq + $1', [seen]);
      await tx.exec('update ledger set revocation_seq = revocation_seq + $1', [seen]);
      tx.notify(REVOKED);
      return true;
    });
    if (lifted) this.log?.warn({ seen }, 'a follower was ahead of the ledger: revocations were numbered anew');
    await this.pull();
  }

  async #look(): Promise<void> {
    const row = await this.db.one<{ seq: number }>(SEQ);
    if ((row?.seq ?? 0) > this.#lastSeq) await this.pull();
  }

  async #read(): Promise<void> {
    const nowMs = this.clock.now().getTime();
    const rows = await this.db.query<Row>(NEWER, [this.#lastSeq, nowMs]);
    for (const row of rows) {
      if (row.seq === null) continue;
      const revocation = fromRow(row, row.seq);
      this.#entries.push(revocation);
      this.verifier.revoke(revocation);
      for (const follower of this.#followers) follower.revoked(revocation);
    }
    this.#lastSeq = rows[0]?.ledger_seq ?? this.#lastSeq;
    this.#seenAtMs = nowMs;
    this.verifier.heard();
  }

  async #beats(): Promise<void> {
    for (let beats = 1; !this.#stopped.signal.aborted; beats += 1) {
      await delay(BEAT_MS, this.#stopped.signal);
      try {
        await this.pull();
        const nowMs = this.clock.now().getTime();
        for (const follower of this.#followers) follower.beat(this.#lastSeq, nowMs);
        if (beats % 60 === 0) this.#entries = this.#entries.filter((entry) => entry.untilMs > nowMs);
      } catch (error) {
        if (!this.#stopped.signal.aborted) this.log?.warn({ err: error }, 'revocations could not be read');
      }
    }
  }
}
