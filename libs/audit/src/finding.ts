/** What a rule of the auditor looks at, and what it says. */
import type { BookRow, Books } from './books.js';

export interface Finding {
  /** Stable name of the kind of mismatch, such as `allocation-without-server`. */
  readonly code: string;
  /** Id of the thing that does not match. */
  readonly id: string;
  readonly node: string;
  readonly message: string;
}

/** Everything a rule looks at. */
export interface Ground {
  readonly books: Books;
  readonly servers: ReadonlyMap<string, BookRow>;
  readonly settled: readonly BookRow[];
  /** Nodes whose inventory was read. */
  readonly seen: ReadonlySet<string>;
  /** Servers that a debt or a running task still has to clear away. */
  readonly busy: ReadonlySet<string>;
}

export type Rule = (ground: Ground) => Finding[];

/** What a row of the books is blamed for. */
export const finding = (code: string, row: BookRow, message: string): Finding => ({
  code,
  id: row.id,
  node: row.node,
  message,
});

/** Rows of a kind that name a server which does not exist, as findings. */
export function orphans(kind: string, code: string, what: string): Rule {
  return ({ books, servers, busy }) =>
    books
      .all(kind)
      .filter((row) => row.serverId !== '' && !servers.has(row.serverId) && !busy.has(row.serverId))
      .map((row) => finding(code, row, `${what} belongs to server ${row.serverId}, which does not exist`));
}
