/**
 * Who in this process is looking for a report right now. A step that has just sent its command listens for a moment: where
 * the node answers at once, the task need not be parked and leased again. A short cut only, taken after the report is
 * stored: whoever does not listen, or not any more, is woken by the task's own means.
 */
import { delay } from '#libs/kernel';
import type { ServerReport } from '#services/compute/domain';

export class Hearing {
  readonly #listening = new Map<string, (report: ServerReport) => void>();

  /** The first report that is stored about the server after `begin`; undefined when there is none in that time. */
  async listen(serverId: string, ms: number, begin: () => Promise<void>): Promise<ServerReport | undefined> {
    const over = new AbortController();
    let heard: ServerReport | undefined;
    const hear = (report: ServerReport): void => {
      heard = report;
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

  /** True when somebody was listening. */
  tell(report: ServerReport): boolean {
    const hear = this.#listening.get(report.serverId);
    hear?.(report);
    return hear !== undefined;
  }
}
