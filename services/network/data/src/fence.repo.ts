/**
 * Calls of compute about a server carry (fence, seq). The newest pair of each server is kept for good; an older call is
 * refused, and one with the same pair is answered with what was answered then.
 */
import { ERROR_KINDS, Failure, fail } from '#libs/kernel';
import type { Sql, Tx } from '#libs/platform/db';

export interface Pair {
  readonly serverId: string;
  readonly fence: number;
  readonly seq: number;
}

interface StoredFailure {
  readonly kind: string;
  readonly type: string | null;
  readonly message: string;
}
type Result = { readonly reply: unknown } | { readonly failure: StoredFailure };

interface Row {
  readonly fence: number;
  readonly seq: number;
  readonly call: string;
  readonly result: Result;
}

export type Standing = { readonly kind: 'new' } | { readonly kind: 'same'; readonly result: Result };

export class FenceRepo {
  /** Where a call stands; locks the server's row. Throws `fenced` for a call that was overtaken. */
  async admit(tx: Tx, pair: Pair, call: string): Promise<Standing> {
    const row = await tx.one<Row>(
      {
        name: 'fence-admit',
        text: 'select fence, seq, call, result from server_fence where server_id = $1 for update',
      },
      [pair.serverId],
    );
    if (!row || row.fence < pair.fence || (row.fence === pair.fence && row.seq < pair.seq)) return { kind: 'new' };
    if (row.fence === pair.fence && row.seq === pair.seq && row.call === call)
      return { kind: 'same', result: row.result };
    throw fail.fenced(`a newer call (${row.fence}, ${row.seq}) about server ${pair.serverId} was seen`);
  }

  /** Keeps the pair with what was answered. Two first calls at once: the older one is refused here. */
  async keep(on: Sql, pair: Pair, call: string, result: Result, now: Date): Promise<void> {
    const kept = await on.exec(
      `insert into server_fence (server_id, fence, seq, call, result, updated_at) values ($1, $2, $3, $4, $5, $6)
       on conflict (server_id) do update set fence = excluded.fence, seq = excluded.seq, call = excluded.call,
         result = excluded.result, updated_at = excluded.updated_at
       where (server_fence.fence, server_fence.seq) < (excluded.fence, excluded.seq)`,
      [pair.serverId, pair.fence, pair.seq, call, JSON.stringify(result), now],
    );
    if (kept === 0) throw fail.fenced(`a newer call about server ${pair.serverId} was seen`);
  }

  /** The highest fence that was ever seen: a restored database of compute must begin above it. */
  async highest(on: Sql): Promise<number> {
    const row = await on.one<{ fence: number | null }>('select max(fence) as fence from server_fence');
    return row?.fence ?? 0;
  }
}

export const storedFailure = (failure: Failure): Result => ({
  failure: { kind: failure.kind, type: failure.type ?? null, message: failure.message },
});

/** The reply that was given, or throws the failure that was. */
export function replay<T>(result: Result): T {
  if ('reply' in result) return result.reply as T;
  const { kind, type, message } = result.failure;
  const known = ERROR_KINDS.find((candidate) => candidate === kind) ?? 'internal';
  throw new Failure(known, message, type === null ? {} : { type });
}
