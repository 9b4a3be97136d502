/**
 * Columns that a program declares it uses. From one declaration follow the
 * TypeScript type of a row, the decoding of what the server sends, the encoding
 * of what we send, and the check of both against the server's schema.
 *
 * Sets and maps are kept as `Set` and `Map` and changed in place when the server
 * reports a difference: a switch with ten thousand ports costs nothing per port.
 */
import {
  type AtomType,
  type AtomValue,
  atomOf,
  atomValue,
  type Datum,
  defaultAtom,
  isAtomOf,
  mapPairs,
  setAtoms,
} from './datum.js';
import { OvsdbError } from './errors.js';

export type Shape = 'scalar' | 'optional' | 'set' | 'map';

export interface Column<T> {
  readonly shape: Shape;
  readonly key: AtomType;
  readonly value: AtomType | null;
  /** From the wire to a value; an absent column is its default. */
  decode(datum: Datum | undefined): T;
  /** The value after a difference as `update2` and `update3` carry it. */
  patch(before: T, difference: Datum): T;
  encode(value: T): Datum;
}

export type TableSpec = Readonly<Record<string, Column<unknown>>>;
export type DatabaseSpec = Readonly<Record<string, TableSpec>>;
export type ValueOf<C> = C extends Column<infer T> ? T : never;

/** One row of a declared table, with the server's row id. */
export type Row<T extends TableSpec> = { readonly [C in keyof T]: ValueOf<T[C]> } & {
  readonly _uuid: string;
};
/** The columns given when a row is inserted or updated. */
export type Values<T extends TableSpec> = { readonly [C in keyof T]?: ValueOf<T[C]> };

function checked(type: AtomType, value: AtomValue): AtomValue {
  if (!isAtomOf(type, value)) {
    throw new OvsdbError('protocol', `expected ${type}, received ${typeof value}`);
  }
  return value;
}

function scalar<T extends AtomValue>(key: AtomType): Column<T> {
  const decode = (datum: Datum | undefined): T => {
    if (datum === undefined) return defaultAtom(key) as T;
    const [atom] = setAtoms(datum);
    return checked(key, atom === undefined ? defaultAtom(key) : atomValue(atom)) as T;
  };
  return {
    shape: 'scalar',
    key,
    value: null,
    decode,
    patch: (_before, difference) => decode(difference),
    encode: (value) => atomOf(key, value),
  };
}

export const text: Column<string> = scalar('string');
export const integer: Column<number> = scalar('integer');
export const real: Column<number> = scalar('real');
export const bool: Column<boolean> = scalar('boolean');

/** A column of zero or one atom; absent is `null`. */
export function optional<T extends AtomValue>(key: AtomType): Column<T | null> {
  const decode = (datum: Datum | undefined): T | null => {
    const atom = datum === undefined ? undefined : setAtoms(datum)[0];
    return atom === undefined ? null : (checked(key, atomValue(atom)) as T);
  };
  return {
    shape: 'optional',
    key,
    value: null,
    decode,
    patch: (_before, difference) => decode(difference),
    encode: (value) => (value === null ? ['set', []] : atomOf(key, value)),
  };
}

/** A column of any number of distinct atoms. */
export function setOf<T extends AtomValue>(key: AtomType): Column<ReadonlySet<T>> {
  const values = (datum: Datum | undefined): T[] =>
    datum === undefined ? [] : setAtoms(datum).map((atom) => checked(key, atomValue(atom)) as T);
  return {
    shape: 'set',
    key,
    value: null,
    decode: (datum) => new Set(values(datum)),
    patch: (before, difference) => {
      const after = before as Set<T>;
      for (const value of values(difference)) if (!after.delete(value)) after.add(value);
      return after;
    },
    encode: (value) => ['set', [...value].map((item) => atomOf(key, item))],
  };
}

/** A column of text keys with values of one type. */
function mapOf<V extends AtomValue>(type: AtomType): Column<ReadonlyMap<string, V>> {
  const pairs = (datum: Datum | undefined): [string, V][] =>
    (datum === undefined ? [] : mapPairs(datum)).map(([key, value]) => [
      String(checked('string', atomValue(key))),
      checked(type, atomValue(value)) as V,
    ]);
  return {
    shape: 'map',
    key: 'string',
    value: type,
    decode: (datum) => new Map(pairs(datum)),
    patch: (before, difference) => {
      const after = before as Map<string, V>;
      for (const [key, value] of pairs(difference)) {
        if (after.get(key) === value) after.delete(key);
        else after.set(key, value);
      }
      return after;
    },
    encode: (value) => ['map', [...value]],
  };
}

/** A column of text keys with text values. */
export const textMap = (): Column<ReadonlyMap<string, string>> => mapOf('string');
/** A column of text keys with whole numbers. */
export const integerMap = (): Column<ReadonlyMap<string, number>> => mapOf('integer');

/** References to rows of another table, as their row ids. */
export const references: Column<ReadonlySet<string>> = setOf('uuid');
/** A reference to at most one row of another table. */
export const reference: Column<string | null> = optional('uuid');
