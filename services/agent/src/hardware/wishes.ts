/**
 * What a flavor's extra specs and an image's properties ask of a guest's hardware, by one name: `hw:NAME` of the flavor and
 * `hw_NAME` of the image. Compute refuses contradictions before a node hears of them; where both speak, the flavor's word
 * counts here.
 */
import { fail } from '#libs/kernel';

export interface WishSources {
  readonly extraSpecs: Readonly<Record<string, string>>;
  readonly imageProperties: Readonly<Record<string, string>>;
}

const TRUE = /^(?:true|yes|on|1|t|y)$/i;

/** A verdict about this server on this node: another node may do better. */
export const refused = (why: string) => fail.conflict(`this node can not give it: ${why}`);

export class Wishes {
  readonly #specs: Readonly<Record<string, string>>;
  readonly #image: Readonly<Record<string, string>>;

  constructor({ extraSpecs, imageProperties }: WishSources) {
    this.#specs = extraSpecs;
    this.#image = imageProperties;
  }

  /** The flavor's or else the image's. */
  text(name: string, prefix = 'hw'): string | undefined {
    return this.#specs[`${prefix}:${name}`] ?? this.#image[`${prefix}_${name}`];
  }

  flag(name: string, prefix = 'hw'): boolean | undefined {
    const word = this.text(name, prefix);
    return word === undefined ? undefined : TRUE.test(word.trim());
  }

  /** Undefined where it is not asked for. Throws for what is no natural number. */
  number(name: string, prefix = 'hw'): number | undefined {
    return natural(this.text(name, prefix), `${prefix}:${name}`);
  }

  flavor(key: string): string | undefined {
    return this.#specs[key];
  }

  flavorNumber(key: string): number | undefined {
    return natural(this.#specs[key], key);
  }

  image(key: string): string | undefined {
    return this.#image[key];
  }

  imageFlag(key: string): boolean | undefined {
    const word = this.#image[key];
    return word === undefined ? undefined : TRUE.test(word.trim());
  }

  imageNumber(key: string): number | undefined {
    return natural(this.#image[key], key);
  }

  /** Keys of the flavor in that namespace. */
  flavorKeys(prefix: string): string[] {
    return Object.keys(this.#specs).filter((key) => key.startsWith(prefix));
  }
}

function natural(word: string | undefined, key: string): number | undefined {
  if (word === undefined) return undefined;
  if (!/^\d{1,15}$/.test(word.trim())) throw refused(`${key} is not a number: ${word.slice(0, 40)}`);
  return Number(word);
}

/** `0-3,^2,6` as a set. Throws for anything else. */
export function cpuSet(text: string): Set<number> {
  const taken = new Set<number>();
  const barred = new Set<number>();
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (part === '') continue;
    const match = /^(\^?)(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    const [first, last] = [Number(match?.[2]), Number(match?.[3] ?? match?.[2])];
    if (!match || last < first) throw refused(`${text.slice(0, 40)} is not a list of processors`);
    for (let cpu = first; cpu <= last; cpu++) (match[1] ? barred : taken).add(cpu);
  }
  for (const cpu of barred) taken.delete(cpu);
  return taken;
}

/** A set as libvirt writes it: `0-3,6`. */
export function cpuRanges(cpus: Iterable<number>): string {
  const sorted = [...cpus].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    while (sorted[to + 1] === sorted[to]! + 1) to += 1;
    parts.push(to > from ? `${sorted[from]}-${sorted[to]}` : `${sorted[from]}`);
    from = to + 1;
  }
  return parts.join(',');
}
