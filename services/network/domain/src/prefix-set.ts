/** Sets of prefixes of one IP version: merged, compared, and searched for room. Pure arithmetic. */
import { bitsOf, lastOf, type Prefix } from './address.js';

const byFirst = (a: Prefix, b: Prefix): number =>
  a.first < b.first ? -1 : a.first > b.first ? 1 : a.length - b.length;
const sizeOf = (prefix: Prefix): bigint => 1n << BigInt(bitsOf(prefix.version) - prefix.length);

/** The fewest prefixes that hold the same addresses, in order. */
export function merged(prefixes: readonly Prefix[]): Prefix[] {
  const kept: Prefix[] = [];
  for (const prefix of [...prefixes].sort(byFirst)) {
    const before = kept.at(-1);
    if (before && prefix.first <= lastOf(before)) continue;
    kept.push(prefix);
    while (joinLast(kept));
  }
  return kept;
}

/** Makes one of the last two where they are the halves of it. */
function joinLast(prefixes: Prefix[]): boolean {
  const [a, b] = prefixes.slice(-2);
  if (!a || !b || a.length !== b.length || a.length === 0) return false;
  const whole: Prefix = { version: a.version, first: a.first, length: a.length - 1 };
  const isHalf = a.first % sizeOf(whole) === 0n && b.first === a.first + sizeOf(a);
  if (isHalf) prefixes.splice(-2, 2, whole);
  return isHalf;
}

/** True where every address of the prefix is in one of the (merged) prefixes. */
export const holds = (prefixes: readonly Prefix[], prefix: Prefix): boolean =>
  prefixes.some((outer) => outer.first <= prefix.first && lastOf(prefix) <= lastOf(outer));

/** The lowest prefix of that length in the (merged) prefixes that touches none of the taken ones, or null. */
export function firstFree(prefixes: readonly Prefix[], taken: readonly Prefix[], length: number): Prefix | null {
  const used = [...taken].sort(byFirst);
  for (const outer of prefixes) {
    if (outer.length > length) continue;
    const step = 1n << BigInt(bitsOf(outer.version) - length);
    let first = outer.first;
    for (const prefix of used) {
      if (lastOf(prefix) < first) continue;
      if (prefix.first >= first + step) break;
      // The next place that begins behind what is taken.
      first = (lastOf(prefix) / step + 1n) * step;
    }
    if (first + step - 1n <= lastOf(outer)) return { version: outer.version, first, length };
  }
  return null;
}
