/**
 * The other side of a flow's calls, as an agent or a service behaves: it keeps the highest (fence, n) of each resource for
 * good, refuses older pairs, and answers the pair it saw last with the result it gave then.
 */
import { fail } from '#libs/kernel';

export interface Pair {
  readonly fence: number;
  readonly n: number;
}

export class FencedReceiver<V> {
  private readonly held = new Map<string, { pair: Pair; value: V | undefined }>();
  /** Every accepted call, in order. */
  readonly accepted: { key: string; pair: Pair; value: V | undefined }[] = [];
  refused = 0;

  /** `undefined` means: it shall not exist. Throws `fenced` for an older pair. */
  set(key: string, pair: Pair, value: V | undefined): void {
    const known = this.held.get(key);
    if (known && compare(pair, known.pair) < 0) {
      this.refused += 1;
      throw fail.fenced(`${key} has seen ${known.pair.fence}/${known.pair.n}`);
    }
    if (known && compare(pair, known.pair) === 0) return;
    this.held.set(key, { pair, value });
    this.accepted.push({ key, pair, value });
  }

  get(key: string): V | undefined {
    return this.held.get(key)?.value;
  }

  /** The keys of what exists. */
  present(): string[] {
    return [...this.held].filter(([, entry]) => entry.value !== undefined).map(([key]) => key);
  }
}

const compare = (a: Pair, b: Pair): number => a.fence - b.fence || a.n - b.n;
