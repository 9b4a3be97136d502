/** Patterns of what extra specs and image properties may hold; each is anchored by whoever compiles it. */

export const BOOL = '(?i:true|false|yes|no|on|off|1|0|t|f|y|n)';
export const COUNT = '[1-9][0-9]*';
export const NATURAL = '[0-9]+';
export const ANY = '[^\\p{C}]+';
/** Host or guest processors: `0-3,^2`. */
export const CPUS = '[\\^0-9,\\s-]+';
export const PAGE_SIZE = '(?:large|small|any|[0-9]+(?:[kKMGT](?:i?[bB])?)?)';
export const oneOf = (...words: readonly string[]): string => words.join('|');

export interface KnownValue {
  readonly name: RegExp;
  readonly value: RegExp;
}

/** Name patterns to value patterns. */
export const knownValues = (rows: readonly (readonly [name: string, value: string])[]): KnownValue[] =>
  rows.map(([name, value]) => ({ name: new RegExp(`^(?:${name})$`, 'u'), value: new RegExp(`^(?:${value})$`, 'u') }));

const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

/** A flag's word; undefined where nothing is said. */
export const truth = (word: string | undefined): boolean | undefined =>
  word === undefined ? undefined : TRUE.has(word.trim().toLowerCase());
