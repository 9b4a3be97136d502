/** Tags: short texts that clients hang on what they have, and find it by. */
import { fail } from '#libs/kernel';
import { invalidInput } from './faults.js';

export const MOST_TAGS = 50;
const LONGEST = 255;
/** A comma separates tags in filters, a slash parts of a path. */
const FORBIDDEN = /[,/]|\p{Cc}/u;

export const tagNotFound = (tag: string) =>
  fail.notFound(`Tag ${tag.slice(0, LONGEST)} could not be found.`, { type: 'TagNotFound' });

/** Throws for a text that is no tag. */
export function checkTag(tag: string): void {
  if (tag === '' || tag.length > LONGEST)
    throw invalidInput(`'${tag.slice(0, 80)}' is no tag: it must have 1 to ${LONGEST} characters.`);
  if (FORBIDDEN.test(tag)) throw invalidInput('A tag must not have a comma, a slash or a control character.');
}

/** Each tag once, in order. Throws for what is no tag, and for too many. */
export function checkedTags(tags: readonly string[]): string[] {
  for (const tag of tags) checkTag(tag);
  const distinct = [...new Set(tags)].sort();
  if (distinct.length > MOST_TAGS) throw invalidInput(`A resource has at most ${MOST_TAGS} tags.`);
  return distinct;
}
