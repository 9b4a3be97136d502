/** The rules of names, ids and tags. */
import { fail } from '#libs/kernel';

/** Longest names, in characters. */
export const LONGEST = { user: 255, group: 64, project: 64, domain: 64, role: 255, region: 255, tag: 255 } as const;

export const DEFAULT_DOMAIN = 'default';
/** Levels of projects below a domain. */
export const DEEPEST = 5;

/** A tag travels in URLs and comma-separated filters, so it holds neither slash nor comma. */
export function checkTags(tags: readonly string[]): void {
  if (tags.length > 80) throw fail.invalid('A project may have 80 tags at most.');
  if (new Set(tags).size !== tags.length) throw fail.invalid('The tags of a project must be unique.');
  for (const tag of tags)
    if (!/^[^,/]{1,255}$/.test(tag))
      throw fail.invalid('A tag has 1 to 255 characters, with neither slash nor comma among them.');
}

/** Attributes of a client's own may not grow without bound: everything a resource carries is answered in lists. */
export function checkExtra(extra: Readonly<Record<string, unknown>>): void {
  if (JSON.stringify(extra).length > 16_384) throw fail.invalid('The additional attributes are too large.');
}
