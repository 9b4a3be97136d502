/**
 * What this node was last told about each server, and what came of it. Invariants: a pair (fence, seq) never goes down
 * for a server, not even after the server is gone; a pair is on the disk before anything is done under it. Records of
 * servers that are long absent are folded into a floor: fences come from one rising sequence, so whatever carries a
 * fence at or below the floor for a server we no longer list is as old as what we forgot.
 */
import type { PowerState } from '#libs/contract';
import { Journal } from './journal.js';

export interface Pair {
  readonly fence: number;
  readonly seq: number;
}

export interface Held extends Pair {
  readonly serverId: string;
  readonly generation: number;
  readonly phase: 'busy' | 'done' | 'failed';
  readonly power: PowerState;
  /** What the last spec wanted. */
  readonly wanted?: string | undefined;
  readonly error?: string | undefined;
  /** Reboots carried out; undefined until the first spec was seen. */
  readonly reboots?: number | undefined;
  /** The pair under which an interrupt was sent, or about to be. */
  readonly interrupted?: Pair | undefined;
  readonly atMs: number;
}

/** Below 0: `a` is older than `b`; 0: the same; above 0: newer. */
export const comparePairs = (a: Pair, b: Pair): number => a.fence - b.fence || a.seq - b.seq;

const FORGET_AFTER_MS = 7 * 24 * 3_600_000;
const SLACK_LINES = 2_000;

interface Floor {
  readonly floor: number;
}

export class Ledger {
  readonly #journal: Journal;
  readonly #held = new Map<string, Held>();
  #floor = 0;
  #compacting: Promise<void> | undefined;

  private constructor(journal: Journal) {
    this.#journal = journal;
  }

  static async open(path: string, sync: boolean): Promise<Ledger> {
    const { journal, records } = await Journal.open(path, { sync });
    const ledger = new Ledger(journal);
    for (const record of records as (Held | Floor)[]) {
      if ('floor' in record) ledger.#floor = Math.max(ledger.#floor, record.floor);
      else ledger.#held.set(record.serverId, record);
    }
    return ledger;
  }

  get(serverId: string): Held | undefined {
    return this.#held.get(serverId);
  }

  all(): Held[] {
    return [...this.#held.values()];
  }

  highestFence(): number {
    return this.all().reduce((highest, held) => Math.max(highest, held.fence), this.#floor);
  }

  /** How a command's pair stands to what is held: `older` is refused, `same` is answered, `newer` is obeyed. */
  judge(serverId: string, pair: Pair): 'older' | 'same' | 'newer' {
    const held = this.#held.get(serverId);
    if (!held) return pair.fence <= this.#floor ? 'older' : 'newer';
    const order = comparePairs(pair, held);
    return order < 0 ? 'older' : order === 0 ? 'same' : 'newer';
  }

  /** Takes effect for `get` at once; resolves when it is durable. Throws when the pair would go down. */
  async put(held: Held): Promise<void> {
    const before = this.#held.get(held.serverId);
    if (before && comparePairs(held, before) < 0) throw new Error(`the pair of ${held.serverId} would go down`);
    this.#held.set(held.serverId, held);
    try {
      await this.#journal.append(held);
    } catch (error) {
      if (this.#held.get(held.serverId) === held) this.#restore(held.serverId, before);
      throw error;
    }
    if (this.#journal.lines > 2 * this.#held.size + SLACK_LINES) await this.compact(held.atMs);
  }

  /** Rewrites the file with what still counts. */
  compact(nowMs: number): Promise<void> {
    this.#compacting ??= this.#journal
      .rewrite(() => {
        this.#forget(nowMs);
        return [{ floor: this.#floor }, ...this.all()];
      })
      .finally(() => {
        this.#compacting = undefined;
      });
    return this.#compacting;
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #restore(serverId: string, before: Held | undefined): void {
    if (before) this.#held.set(serverId, before);
    else this.#held.delete(serverId);
  }

  #forget(nowMs: number): void {
    for (const held of this.#held.values()) {
      const gone = held.power === 'absent' && held.phase === 'done' && nowMs - held.atMs > FORGET_AFTER_MS;
      if (!gone) continue;
      this.#floor = Math.max(this.#floor, held.fence);
      this.#held.delete(held.serverId);
    }
  }
}
