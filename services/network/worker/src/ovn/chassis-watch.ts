/**
 * Notices when nodes come, go, or change what they are good for. Routers with a way out are then planned again: their
 * gateways follow from who is there, and so does where floating IPs are translated.
 */
import { type Clock, delay } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { NetworkBooks } from '#services/network/data';
import { chassisOf, type SbClient } from './southbound.js';

/** Nodes tend to come together. */
const GATHER_MS = 200;
const RETRY_MS = 1_000;

export class ChassisWatch {
  private readonly stopped = new AbortController();
  private known = '';
  private writing: Promise<void> | null = null;
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly books: NetworkBooks,
    private readonly client: SbClient,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  start(): void {
    this.unsubscribe = this.client.onChanges((changes) => {
      if (changes.some(({ table }) => table === 'Chassis')) this.look();
    });
    this.look();
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    this.stopped.abort();
    await this.writing;
  }

  private look(): void {
    this.writing ??= this.write().finally(() => {
      this.writing = null;
    });
  }

  private async write(): Promise<void> {
    await delay(GATHER_MS, this.stopped.signal);
    while (!this.stopped.signal.aborted) {
      const now = this.summary();
      if (now === this.known) return;
      try {
        await this.books.dirty.markGateways(this.clock.now());
        this.known = now;
      } catch (error) {
        this.log.warn({ err: error }, 'a change of nodes could not be noted; trying again');
        await delay(RETRY_MS, this.stopped.signal);
      }
    }
  }

  private summary(): string {
    return JSON.stringify(
      chassisOf(this.client).map(({ name, hostname, physicalNetworks, isGateway, zones }) => [
        name,
        hostname,
        physicalNetworks,
        isGateway,
        zones,
      ]),
    );
  }
}
