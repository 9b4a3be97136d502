/**
 * The server's schema (RFC 7047, section 3.2), read only as far as it is needed
 * to prove that the columns a program declared exist and have the declared form.
 * A newer server with more tables and columns passes; a missing one is an error
 * at connect time, not a surprise at the first transaction.
 */
import type { Column, DatabaseSpec, Shape } from './columns.js';
import { OvsdbError } from './errors.js';

interface WireType {
  readonly shape: Shape;
  readonly key: string;
  readonly value: string | null;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function baseType(value: unknown): string {
  return typeof value === 'string' ? value : String(field(value, 'type'));
}

function wireType(type: unknown): WireType {
  if (typeof type === 'string') return { shape: 'scalar', key: type, value: null };
  const key = baseType(field(type, 'key'));
  const value = field(type, 'value');
  if (value !== undefined) return { shape: 'map', key, value: baseType(value) };
  const min = field(type, 'min') ?? 1;
  const max = field(type, 'max') ?? 1;
  if (max !== 1) return { shape: 'set', key, value: null };
  return { shape: min === 0 ? 'optional' : 'scalar', key, value: null };
}

function agree(column: Column<unknown>, wire: WireType): boolean {
  return column.shape === wire.shape && column.key === wire.key && column.value === wire.value;
}

/**
 * Throws an `OvsdbError` of kind `schema` that names the first declared column
 * which the server does not have in the declared form.
 */
export function checkSchema(spec: DatabaseSpec, schema: unknown): void {
  const tables = field(schema, 'tables');
  for (const [table, columns] of Object.entries(spec)) {
    const known = field(field(tables, table), 'columns');
    if (known === undefined) throw new OvsdbError('schema', `the server has no table ${table}`);
    for (const [name, column] of Object.entries(columns)) {
      const type = field(field(known, name), 'type');
      if (type === undefined) {
        throw new OvsdbError('schema', `the server has no column ${table}.${name}`);
      }
      const wire = wireType(type);
      if (!agree(column, wire)) {
        const found = `${wire.shape} of ${wire.key}`;
        throw new OvsdbError('schema', `${table}.${name} is a ${found} on the server`);
      }
    }
  }
}
