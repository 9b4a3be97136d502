/** How nodes fare, read at most every few seconds. A stale picture costs a worse choice, never a wrong claim. */
import type { Clock } from '#libs/kernel';
import type { PulseRepo } from '#services/placement/data';
import type { Pulse } from '#services/placement/domain';

const READ_EVERY_MS = 3_000;

export class Pulses {
  #known: ReadonlyMap<string, Pulse> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(
    private readonly repo: Pick<PulseRepo, 'read'>,
    private readonly clock: Clock,
  ) {}

  /** What is known; begins to read anew where that is old, and waits for it only the first time. */
  async current(): Promise<ReadonlyMap<string, Pulse>> {
    const first = this.#readAt === Number.NEGATIVE_INFINITY;
    const age = this.clock.now().getTime() - this.#readAt;
    if (!this.#reading && (age > READ_EVERY_MS || age < 0)) this.#reading = this.#read();
    if (first) await this.#reading;
    return this.#known;
  }

  async #read(): Promise<void> {
    this.#readAt = this.clock.now().getTime();
    try {
      this.#known = await this.repo.read();
    } catch {
      // Claims that are under way tell of a database that is away.
    } finally {
      this.#reading = undefined;
    }
  }
}
