/**
 * Work that runs once at a time, however many ask for it. A run that has begun may have looked too early for whoever asks
 * now, so later callers share the next one: it starts when the present one ends, and serves all who came until then.
 */
export class Joined {
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(private readonly work: () => Promise<void>) {}

  /** Resolves when a run that began after this call has ended; rejects when that run failed. */
  run(): Promise<void> {
    if (!this.#running) return this.#start();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#running ?? this.#start();
      });
    return this.#next;
  }

  #start(): Promise<void> {
    this.#running = this.work().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}
