/**
 * What each service says it holds, as rows of one shape (`operator.v1.BookRow`), gathered into look-ups by kind.
 * Pure: the collector does the asking.
 */
export interface BookRow {
  readonly kind: string;
  readonly id: string;
  /** The server the row belongs to; empty when it belongs to none. */
  readonly serverId: string;
  readonly node: string;
  readonly state: string;
  readonly facts: Readonly<Record<string, string>>;
}

export class Books {
  readonly #byKind = new Map<string, BookRow[]>();

  constructor(rows: readonly BookRow[]) {
    for (const row of rows) {
      const list = this.#byKind.get(row.kind);
      if (list) list.push(row);
      else this.#byKind.set(row.kind, [row]);
    }
  }

  all(kind: string): readonly BookRow[] {
    return this.#byKind.get(kind) ?? [];
  }

  /** Rows of a kind by their own id. */
  byId(kind: string): ReadonlyMap<string, BookRow> {
    return new Map(this.all(kind).map((row) => [row.id, row]));
  }

  /** Rows of a kind by the server they belong to. */
  byServer(kind: string): ReadonlyMap<string, readonly BookRow[]> {
    const map = new Map<string, BookRow[]>();
    for (const row of this.all(kind)) {
      const list = map.get(row.serverId);
      if (list) list.push(row);
      else map.set(row.serverId, [row]);
    }
    return map;
  }
}
