/**
 * Tells guests of themselves what has changed without a command: fetches the spec, hands it to the driver, and says to
 * compute that it is kept. Whatever fails is left to compute's next wake. A job that is at work comes first: it may have
 * fetched what is older.
 */
import type { Log } from '#libs/platform/log';
import type { HypervisorDriver } from '../driver/driver.js';
import { Limiter } from '../driver/limiter.js';
import type { ComputePort } from './ports.js';

/** A change of one group may be news for every server here. */
const AT_ONCE = 8;

export interface TellerDeps {
  readonly driver: Pick<HypervisorDriver, 'tell'>;
  readonly compute: Pick<ComputePort, 'getSpec' | 'newsKept'>;
  readonly log: Log;
  /** Resolves when no job is at work on the server. */
  idle(serverId: string): Promise<void>;
}

export class Teller {
  readonly #limiter = new Limiter(AT_ONCE);
  /** Servers whose news nobody has begun to fetch. */
  readonly #waiting = new Set<string>();
  readonly #working = new Set<Promise<void>>();

  constructor(private readonly deps: TellerDeps) {}

  /** Returns at once. */
  refresh(serverId: string): void {
    if (this.#waiting.has(serverId)) return;
    this.#waiting.add(serverId);
    const work = this.#tell(serverId)
      .catch((error: unknown) => this.deps.log.warn({ err: error, serverId }, 'a guest is told of changes later'))
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#working);
  }

  async #tell(serverId: string): Promise<void> {
    const { driver, compute, idle } = this.deps;
    await idle(serverId);
    await this.#limiter.run(async () => {
      this.#waiting.delete(serverId);
      const spec = await compute.getSpec(serverId);
      if (!spec || spec.power === 'absent') return;
      await driver.tell(spec);
      await compute.newsKept(serverId, spec.news);
    });
  }
}
