/**
 * Typed operations of a transaction (RFC 7047, section 5.2).
 *
 * Rows are inserted under a row id that the caller chose (an extension that
 * ovsdb-server has had since 3.0). That makes an insert idempotent by
 * construction: sent twice, the second is refused with `duplicate uuid`, and rows
 * can refer to each other without knowing what the server answered.
 */
import type { DatabaseSpec, TableSpec, Values } from './columns.js';
import type { AtomValue, Datum } from './datum.js';
import { OvsdbError } from './errors.js';

export type Condition = readonly [column: string, operator: '==' | '!=' | 'includes' | 'excludes', value: Datum];

export interface Operation {
  readonly op: 'insert' | 'update' | 'mutate' | 'delete' | 'select' | 'wait' | 'comment';
  readonly [field: string]: unknown;
}

export interface OperationResult {
  readonly count?: number;
  readonly uuid?: readonly ['uuid', string];
  readonly rows?: readonly Readonly<Record<string, Datum>>[];
}

type SetColumn<T extends TableSpec> = {
  [C in keyof T]: T[C] extends { decode(d: Datum | undefined): ReadonlySet<AtomValue> } ? C : never;
}[keyof T] &
  string;

export class Operations<S extends DatabaseSpec> {
  constructor(private readonly spec: S) {}

  /** Inserts a row under the given row id; columns left out get the schema's default. */
  insert<T extends keyof S & string>(table: T, uuid: string, values: Values<S[T]>): Operation {
    return { op: 'insert', table, uuid, row: this.encode(table, values) };
  }

  /** Replaces the given columns of one row; a row that is gone is no error (count 0). */
  update<T extends keyof S & string>(table: T, uuid: string, values: Values<S[T]>): Operation {
    return { op: 'update', table, where: byUuid(uuid), row: this.encode(table, values) };
  }

  /** Adds values to, or removes them from, a set column of one row. */
  mutateSet<T extends keyof S & string>(
    table: T,
    uuid: string,
    column: SetColumn<S[T]>,
    mutator: 'insert' | 'delete',
    values: Iterable<AtomValue>,
  ): Operation {
    const datum = this.column(table, column).encode(new Set(values));
    return { op: 'mutate', table, where: byUuid(uuid), mutations: [[column, mutator, datum]] };
  }

  /** Sets the entries of a map column of one row, and leaves its other entries alone. */
  putEntries<T extends keyof S & string>(
    table: T,
    uuid: string,
    column: keyof S[T] & string,
    entries: Readonly<Record<string, string>>,
  ): Operation {
    const keys: Datum = ['set', Object.keys(entries)];
    const mutations = [
      [column, 'delete', keys],
      [column, 'insert', ['map', Object.entries(entries)]],
    ];
    return { op: 'mutate', table, where: byUuid(uuid), mutations };
  }

  /** Adds to an integer column of every row of a table. */
  increment<T extends keyof S & string>(table: T, column: keyof S[T] & string, by: number): Operation {
    return { op: 'mutate', table, where: [], mutations: [[column, '+=', by]] };
  }

  delete(table: keyof S & string, uuid: string): Operation {
    return { op: 'delete', table, where: byUuid(uuid) };
  }

  select(table: keyof S & string, where: readonly Condition[], columns: readonly string[]): Operation {
    return { op: 'select', table, where, columns };
  }

  /**
   * Lets the transaction pass only while the columns of this row have these values;
   * otherwise it is refused with `timed out` at once.
   */
  expect<T extends keyof S & string>(table: T, uuid: string, values: Values<S[T]>): Operation {
    const row = this.encode(table, values);
    const shared = { table, where: byUuid(uuid), columns: Object.keys(row), rows: [row] };
    return { op: 'wait', ...shared, until: '==', timeout: 0 };
  }

  /** Lets the transaction pass only while this row also meets the conditions. */
  expectStill(table: keyof S & string, uuid: string, where: readonly Condition[]): Operation {
    const all = [...byUuid(uuid), ...where];
    return {
      op: 'wait',
      table,
      where: all,
      columns: ['_uuid'],
      rows: [{ _uuid: ['uuid', uuid] }],
      until: '==',
      timeout: 0,
    };
  }

  /** Lets the transaction pass only while no row of the table meets the conditions. */
  expectNone(table: keyof S & string, where: readonly Condition[], columns: readonly string[]): Operation {
    return { op: 'wait', table, where, columns, rows: [], until: '==', timeout: 0 };
  }

  /** A remark that the server keeps in its log of transactions. */
  comment(comment: string): Operation {
    return { op: 'comment', comment };
  }

  private column(table: string, name: string) {
    const column = this.spec[table]?.[name];
    if (column === undefined) throw new OvsdbError('schema', `${table}.${name} is not declared`);
    return column;
  }

  private encode(table: string, values: Readonly<Record<string, unknown>>): Record<string, Datum> {
    const row: Record<string, Datum> = {};
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) row[name] = this.column(table, name).encode(value);
    }
    return row;
  }
}

const byUuid = (uuid: string): readonly Condition[] => [['_uuid', '==', ['uuid', uuid]]];
