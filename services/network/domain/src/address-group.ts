/** Address groups: prefixes under one name, for rules to refer to. */
import { bitsOf, formatPrefix, parseIp, parsePrefix } from './address.js';
import { addressesAlreadyExist, addressesNotFound, badAttribute, invalidInput } from './faults.js';

/** As many as a node can match for several rules of a group without feeling it: each is a flow of its own there. */
export const MOST_ADDRESSES = 4096;

/** Prefixes with their host bits cleared, each once, in the order given. An address alone is a prefix of full length. */
export function readAddresses(texts: readonly string[]): string[] {
  const read = texts.map((text) => {
    const ip = parseIp(text);
    const prefix = parsePrefix(ip ? `${text}/${bitsOf(ip.version)}` : text);
    if (!prefix) throw badAttribute('addresses', `'${text}' is not a valid IP subnet`);
    return formatPrefix(prefix);
  });
  const distinct = [...new Set(read)];
  if (distinct.length > MOST_ADDRESSES) throw tooMany();
  return distinct;
}

/** Throws unless all of the added are new to a group and fit into it. */
export function checkAdded(id: string, present: readonly string[], added: readonly string[]): void {
  const known = new Set(present);
  const twice = added.filter((address) => known.has(address));
  if (twice.length > 0) throw addressesAlreadyExist(id, twice);
  if (present.length + added.length > MOST_ADDRESSES) throw tooMany();
}

/** Throws unless a group holds all of those that are to be taken away. */
export function checkTaken(id: string, present: readonly string[], taken: readonly string[]): void {
  const known = new Set(present);
  const strange = taken.filter((address) => !known.has(address));
  if (strange.length > 0) throw addressesNotFound(id, strange);
}

const tooMany = () => invalidInput(`An address group holds at most ${MOST_ADDRESSES} addresses.`);
