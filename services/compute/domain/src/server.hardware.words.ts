/** What a flavor and an image say of a guest's machine, by one name: `hw:NAME` of the flavor and `hw_NAME` of the image. */
import { truth } from './value-patterns.js';

type Words = Readonly<Record<string, string>>;

export class HardwareWords {
  constructor(
    private readonly specs: Words,
    private readonly properties: Words,
  ) {}

  both(name: string, prefix = 'hw'): { readonly flavor: string | undefined; readonly image: string | undefined } {
    return { flavor: this.specs[`${prefix}:${name}`], image: this.properties[`${prefix}_${name}`] };
  }

  /** The flavor's word, or else the image's. */
  text(name: string, prefix = 'hw'): string | undefined {
    const { flavor, image } = this.both(name, prefix);
    return flavor ?? image;
  }

  flag(name: string): boolean | undefined {
    return truth(this.text(name));
  }

  image(name: string): string | undefined {
    return this.both(name).image;
  }

  flavor(name: string): string | undefined {
    return this.both(name).flavor;
  }

  /** One extra spec by its whole name. */
  spec(key: string): string | undefined {
    return this.specs[key];
  }

  /** Undefined where nothing, or no number, is said. */
  count(name: string, of: 'flavor' | 'image'): number | undefined {
    const word = this.both(name)[of];
    return word !== undefined && /^\d{1,9}$/.test(word.trim()) ? Number(word) : undefined;
  }

  /** What is said of each of several, by their numbers; undefined where nothing is said of one. */
  each(name: string, count: number, of: 'flavor' | 'image'): (string | undefined)[] {
    return Array.from({ length: count }, (_, n) => this.both(`${name}.${n}`)[of]);
  }

  says(name: string, of: 'flavor' | 'image'): boolean {
    const start = of === 'flavor' ? `hw:${name}.` : `hw_${name}.`;
    return Object.keys(of === 'flavor' ? this.specs : this.properties).some((key) => key.startsWith(start));
  }
}
