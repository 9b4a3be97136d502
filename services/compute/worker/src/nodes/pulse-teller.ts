/** Tells placement how nodes fare: every few seconds those of which something has changed, and all of them now and then. */
import type { placementV1 } from '#libs/contract';
import { isFailure } from '#libs/kernel';
import type { Sql } from '#libs/platform/db';
import type { Log } from '#libs/platform/log';
import type { NodeFaring, NodePulseRepo } from '#services/compute/data';
import type { Placement } from '../peers.js';

interface Deps {
  readonly db: Sql;
  readonly pulses: NodePulseRepo;
  readonly placement: Pick<Placement, 'tellPulses'>;
  readonly now: () => Date;
  readonly log: Log;
}

const EVERY_MS = 3_000;
const ALL_EVERY_MS = 600_000;
const AT_ONCE = 1_000;

export class PulseTeller {
  readonly #told = new Map<string, string>();
  #toldAllAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> | undefined;

  constructor(private readonly deps: Deps) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.#telling ??= this.tell()
        .catch((error: unknown) => this.#trouble(error))
        .finally(() => {
          this.#telling = undefined;
        });
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#telling;
  }

  async tell(): Promise<void> {
    const { db, pulses, placement, now } = this.deps;
    const at = now().getTime();
    if (at - this.#toldAllAt > ALL_EVERY_MS) {
      this.#told.clear();
      this.#toldAllAt = at;
    }
    const all = (await pulses.list(db)).map(pulseOf);
    const news = all.filter((pulse) => this.#told.get(pulse.providerId) !== JSON.stringify(pulse));
    for (let from = 0; from < news.length; from += AT_ONCE) {
      const part = news.slice(from, from + AT_ONCE);
      await placement.tellPulses({ pulses: part });
      for (const pulse of part) this.#told.set(pulse.providerId, JSON.stringify(pulse));
    }
  }

  #trouble(error: unknown): void {
    const level = isFailure(error, 'unavailable') ? 'debug' : 'warn';
    this.deps.log[level]({ err: error }, 'placement could not be told how nodes fare');
  }
}

/** The load in tenths for each processor, so that not every breath is news. */
export function pulseOf(node: NodeFaring): placementV1.Pulse {
  const [load = ''] = node.loadAverage.split(',');
  const perCpu = Number(load) / Math.max(1, node.vcpus);
  return {
    providerId: node.hypervisorId,
    load: Number.isFinite(perCpu) ? Math.max(0, Math.round(perCpu * 10) / 10) : 0,
    failures: node.failedBuilds,
    failedAtMs: node.failedAt?.getTime() ?? 0,
  };
}
