/**
 * Values as they stand on the wire (RFC 7047, section 5.1): atoms, sets and maps.
 * A set of exactly one atom is written as that atom alone.
 */
export type Atom = string | number | boolean | UuidAtom;
type UuidAtom = readonly ['uuid' | 'named-uuid', string];
type SetDatum = readonly ['set', readonly Atom[]];
type MapDatum = readonly ['map', readonly (readonly [Atom, Atom])[]];
export type Datum = Atom | SetDatum | MapDatum;

/** A row on the wire: only the columns that are present. */
export type WireRow = Readonly<Record<string, Datum>>;

export type AtomType = 'string' | 'integer' | 'real' | 'boolean' | 'uuid';
export type AtomValue = string | number | boolean;

const isSet = (datum: Datum): datum is SetDatum => typeof datum === 'object' && datum[0] === 'set';
const isMap = (datum: Datum): datum is MapDatum => typeof datum === 'object' && datum[0] === 'map';

/** The plain value of an atom; a uuid becomes its text. */
export function atomValue(atom: Atom): AtomValue {
  return typeof atom === 'object' ? atom[1] : atom;
}

/** The atom for a plain value of the given type. */
export function atomOf(type: AtomType, value: AtomValue): Atom {
  return type === 'uuid' ? ['uuid', String(value)] : value;
}

/** The atoms of a datum that stands for a set, written in either way. */
export function setAtoms(datum: Datum): readonly Atom[] {
  if (isSet(datum)) return datum[1];
  return isMap(datum) ? [] : [datum];
}

/** The pairs of a datum that stands for a map. */
export function mapPairs(datum: Datum): readonly (readonly [Atom, Atom])[] {
  return isMap(datum) ? datum[1] : [];
}

/** True when the value has the JavaScript type that belongs to an OVSDB atom type. */
export function isAtomOf(type: AtomType, value: AtomValue): boolean {
  if (type === 'integer' || type === 'real') return typeof value === 'number';
  return typeof value === (type === 'boolean' ? 'boolean' : 'string');
}

/** What a scalar column holds when the server leaves it out. */
export function defaultAtom(type: AtomType): AtomValue {
  if (type === 'integer' || type === 'real') return 0;
  if (type === 'boolean') return false;
  return type === 'uuid' ? '00000000-0000-0000-0000-000000000000' : '';
}
