/**
 * Who in this process is looking for a report right now. A step that has just sent its command listens for a moment: where
 * the node answers at once, the task need not be parked and leased again. A short cut only, after the report is stored:
 * whoever is not here, or not any more, is woken by the task's own means.
 */
import { delay } from '#libs/kernel';

export class Hearing {
  readonly #listening = new Map<string, () => void>();

  /** Resolves when something was stored about the server, or when the time is up: then false. */
  async listen(serverId: string, ms: number, begin: () => Promise<void>): Promise<boolean> {
    const over = new AbortController();
    let heard = false;
    const hear = (): void => {
      heard = true;
      this.#listening.delete(serverId);
      over.abort();
    };
    this.#listening.set(serverId, hear);
    try {
      await begin();
      if (!heard) await delay(ms, over.signal);
    } finally {
      if (this.#listening.get(serverId) === hear) this.#listening.delete(serverId);
    }
    return heard;
  }

  /** True when somebody was listening, who looks now. */
  tell(serverId: string): boolean {
    const hear = this.#listening.get(serverId);
    hear?.();
    return hear !== undefined;
  }
}
