/**
 * Asks the nodes now and then how far they are, and writes down which of them come, go or change. The question is a
 * number in the northbound database, which each node's controller repeats once it has done all that came before; no
 * request waits for the answer.
 */
import { type Clock, delay } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { NetworkBooks } from '#services/network/data';
import { AGENT_BEAT_MS } from '#services/network/domain';
import type { NbClient } from './northbound.js';
import { chassisOf, type SbClient } from './southbound.js';

/** Nodes tend to come together. */
const GATHER_MS = 100;
const RETRY_MS = 2_000;

export interface AgentWatchParts {
  readonly books: NetworkBooks;
  readonly northbound: NbClient;
  readonly southbound: SbClient;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

export class AgentWatch {
  private readonly stopped = new AbortController();
  private running: Promise<unknown> = Promise.resolve();
  private wakeUp: () => void = () => undefined;
  private changed = true;
  private unsubscribe: () => void = () => undefined;

  constructor(private readonly parts: AgentWatchParts) {}

  start(): void {
    this.unsubscribe = this.parts.southbound.onChanges((changes) => {
      if (!changes.some(({ table }) => table === 'Chassis')) return;
      this.changed = true;
      this.wakeUp();
    });
    this.running = Promise.all([this.asking(), this.watching()]);
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    this.stopped.abort();
    await this.running;
  }

  private async asking(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) await delay((await this.ask()) ? AGENT_BEAT_MS : RETRY_MS, signal);
  }

  /** False where the question could not be put. A database that is away is told of elsewhere. */
  private async ask(): Promise<boolean> {
    const { northbound } = this.parts;
    if (northbound.state !== 'synced') return false;
    try {
      const [asked] = await northbound.transact([northbound.ops.increment('NB_Global', 'nb_cfg', 1)]);
      return (asked?.count ?? 0) > 0;
    } catch (err) {
      this.parts.log.warn({ err }, 'the nodes could not be asked how far they are; trying again');
      return false;
    }
  }

  private async watching(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      if (this.changed && this.parts.southbound.state === 'synced') await this.write();
      else await this.rest();
    }
  }

  private async write(): Promise<void> {
    const { books, southbound, newId, clock, log } = this.parts;
    await delay(GATHER_MS, this.stopped.signal);
    this.changed = false;
    try {
      await books.agents.observe(books.db, chassisOf(southbound), newId, clock.now());
    } catch (err) {
      this.changed = true;
      log.warn({ err }, 'the nodes could not be written down; trying again');
      await delay(RETRY_MS, this.stopped.signal);
    }
  }

  /** Until something changes; a database that is away is looked for again. */
  private async rest(): Promise<void> {
    const woken = new AbortController();
    this.wakeUp = () => woken.abort();
    await delay(this.changed ? RETRY_MS : AGENT_BEAT_MS, AbortSignal.any([woken.signal, this.stopped.signal]));
  }
}
