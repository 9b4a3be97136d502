/**
 * Passwords and other secrets as argon2id hashes (19 MiB, two passes), computed on libuv's threads. As many at once as
 * there are cores: more would only take memory, and a flood of log-ins must neither starve the event loop nor the machine.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { fail } from '#libs/kernel';

const ARGON = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const LONGEST_QUEUE = 200;

export class Secrets {
  readonly #decoy: string;
  readonly #permits: number;
  readonly #longestQueue: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  private constructor(decoy: string, permits: number, longestQueue: number) {
    this.#decoy = decoy;
    this.#permits = permits;
    this.#longestQueue = longestQueue;
  }

  static async open(
    permits = Math.max(1, Math.min(4, availableParallelism())),
    longestQueue = LONGEST_QUEUE,
  ): Promise<Secrets> {
    return new Secrets(await hash('a hash that no secret has', ARGON), permits, longestQueue);
  }

  /** A secret that nobody guesses, fit for a URL. */
  generate(): string {
    return randomBytes(64).toString('base64url');
  }

  hash(secret: string): Promise<string> {
    return this.#bounded(() => hash(secret, ARGON));
  }

  /** False without a hash, after exactly the work that a wrong secret takes. */
  async verify(secret: string, known: string | null | undefined): Promise<boolean> {
    const holds = await this.#bounded(() => verify(known ?? this.#decoy, secret));
    return holds && typeof known === 'string';
  }

  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#permits) {
      if (this.#waiting.length >= this.#longestQueue)
        throw fail.unavailable('Too many requests for authentication are waiting.', { retryAfter: 1 });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
