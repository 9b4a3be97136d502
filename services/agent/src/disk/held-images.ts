/**
 * Images that are wanted on this node before a server is: each is fetched in the background, once, and whoever asked looks
 * again. What came of a download that failed is told once; asked again after that, it begins anew.
 */
import type { computeV1 } from '#libs/contract';

type Source = computeV1.ImageSource;

interface Fetching {
  /** Set when it failed. */
  failure?: unknown;
}

export class HeldImages {
  readonly #fetch: (source: Source, signal: AbortSignal) => Promise<unknown>;
  readonly #has: (source: Source) => Promise<boolean>;
  readonly #fetching = new Map<string, Fetching>();
  readonly #stopped = new AbortController();

  constructor(images: {
    fetch(source: Source, signal: AbortSignal): Promise<unknown>;
    has(source: Source): Promise<boolean>;
  }) {
    this.#fetch = (source, signal) => images.fetch(source, signal);
    this.#has = (source) => images.has(source);
  }

  stop(): void {
    this.#stopped.abort(new Error('the agent stops'));
  }

  /** True: it is here. False: it is on its way. */
  async hold(source: Source): Promise<boolean> {
    if (await this.#has(source)) return true;
    const key = `${source.imageId} ${source.sha256}`;
    const known = this.#fetching.get(key);
    if (known?.failure !== undefined) {
      this.#fetching.delete(key);
      throw known.failure;
    }
    if (!known) this.#begin(key, source);
    return false;
  }

  #begin(key: string, source: Source): void {
    const fetching: Fetching = {};
    this.#fetching.set(key, fetching);
    this.#fetch(source, this.#stopped.signal).then(
      () => this.#fetching.delete(key),
      (error: unknown) => {
        fetching.failure = error;
      },
    );
  }
}
