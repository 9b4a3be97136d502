/**
 * The rows of the declared tables as the server last reported them.
 *
 * Invariants: rows change only by reports of the server (never by what we sent),
 * in the server's order, one committed transaction at a time; a row object lives
 * as long as its row and shows its newest state.
 */
import type { Column, DatabaseSpec, Row, TableSpec } from './columns.js';
import type { Datum, WireRow } from './datum.js';
import { OvsdbError } from './errors.js';

export interface Change<S extends DatabaseSpec> {
  readonly table: keyof S & string;
  readonly uuid: string;
  readonly kind: 'insert' | 'modify' | 'delete';
  /** The columns that were reported; for `insert` and `delete` all of them. */
  readonly columns: readonly string[];
}

/** What the server says of one row in `update2` and `update3`. */
export interface RowUpdate {
  readonly initial?: WireRow;
  readonly insert?: WireRow;
  readonly modify?: WireRow;
  readonly delete?: unknown;
}
export type TableUpdates = Readonly<Record<string, Readonly<Record<string, RowUpdate>>>>;

type MutableRow = Record<string, unknown>;

export class Replica<S extends DatabaseSpec> {
  private readonly tables = new Map<string, Map<string, MutableRow>>();

  constructor(private readonly spec: S) {
    for (const table of Object.keys(spec)) this.tables.set(table, new Map());
  }

  /** All rows of a table by their row id. */
  table<T extends keyof S & string>(table: T): ReadonlyMap<string, Row<S[T]>> {
    return this.rows(table) as ReadonlyMap<string, unknown> as ReadonlyMap<string, Row<S[T]>>;
  }

  /** One row, or undefined. */
  row<T extends keyof S & string>(table: T, uuid: string): Row<S[T]> | undefined {
    return this.table(table).get(uuid);
  }

  /** Takes one report in. With `complete` the report is everything: rows it lacks are gone. */
  apply(updates: TableUpdates, complete: boolean): Change<S>[] {
    const changes: Change<S>[] = [];
    if (complete) this.dropAbsent(updates, changes);
    for (const [table, rows] of Object.entries(updates)) {
      for (const [uuid, update] of Object.entries(rows)) {
        const change = this.applyRow(table, uuid, update);
        if (change !== null) changes.push(change);
      }
    }
    return changes;
  }

  private rows(table: string): Map<string, MutableRow> {
    const rows = this.tables.get(table);
    if (rows === undefined) throw new OvsdbError('protocol', `table ${table} was not asked for`);
    return rows;
  }

  private columns(table: string): TableSpec {
    const columns = this.spec[table];
    if (columns === undefined) throw new OvsdbError('protocol', `table ${table} is unknown`);
    return columns;
  }

  private dropAbsent(updates: TableUpdates, changes: Change<S>[]): void {
    for (const [table, rows] of this.tables) {
      const present = updates[table] ?? {};
      for (const uuid of [...rows.keys()]) {
        if (Object.hasOwn(present, uuid)) continue;
        rows.delete(uuid);
        changes.push(this.change(table, uuid, 'delete'));
      }
    }
  }

  private applyRow(table: string, uuid: string, update: RowUpdate): Change<S> | null {
    const whole = update.initial ?? update.insert;
    if (whole !== undefined) return this.putRow(table, uuid, whole);
    if (update.modify !== undefined) return this.patchRow(table, uuid, update.modify);
    if (!this.rows(table).delete(uuid)) return null;
    return this.change(table, uuid, 'delete');
  }

  private putRow(table: string, uuid: string, wire: WireRow): Change<S> {
    const rows = this.rows(table);
    const known = rows.get(uuid);
    const row: MutableRow = known ?? { _uuid: uuid };
    for (const [name, column] of Object.entries(this.columns(table))) {
      row[name] = column.decode(wire[name]);
    }
    rows.set(uuid, row);
    return this.change(table, uuid, known === undefined ? 'insert' : 'modify');
  }

  private patchRow(table: string, uuid: string, wire: WireRow): Change<S> {
    const row = this.rows(table).get(uuid);
    if (row === undefined) throw new OvsdbError('protocol', `${table} ${uuid} was never reported`);
    const columns = this.columns(table);
    const touched: string[] = [];
    for (const [name, difference] of Object.entries(wire)) {
      const column: Column<unknown> | undefined = columns[name];
      if (column === undefined) continue;
      row[name] = column.patch(row[name], difference as Datum);
      touched.push(name);
    }
    return { table: table as keyof S & string, uuid, kind: 'modify', columns: touched };
  }

  private change(table: string, uuid: string, kind: Change<S>['kind']): Change<S> {
    const columns = Object.keys(this.columns(table));
    return { table: table as keyof S & string, uuid, kind, columns };
  }
}
