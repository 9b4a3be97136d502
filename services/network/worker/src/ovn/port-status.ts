/**
 * Which ports are up is OVN's to say: `up` of the switch port becomes the port's status. Reports are gathered for a
 * moment and written at once; what could not be written is kept and tried again.
 */
import { type Clock, delay } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Change } from '#libs/platform/ovsdb';
import { type NetworkBooks, record } from '#services/network/data';
import { KIND } from '#services/network/domain';
import type { NbClient, Northbound } from './northbound.js';

const GATHER_MS = 10;
const RETRY_MS = 1_000;
const PIECE = 1_000;

export class PortStatus {
  private readonly reports = new Map<string, boolean>();
  private readonly stopped = new AbortController();
  private writing: Promise<void> | null = null;
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly books: NetworkBooks,
    private readonly client: NbClient,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  start(): void {
    this.unsubscribe = this.client.onChanges((changes) => this.hear(changes));
    for (const uuid of this.client.replica.table('Logical_Switch_Port').keys()) this.note(uuid);
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    this.stopped.abort();
    await this.writing;
  }

  private hear(changes: readonly Change<Northbound>[]): void {
    for (const change of changes) {
      if (change.table !== 'Logical_Switch_Port' || change.kind === 'delete') continue;
      // A binding that is in OVN now may be what an earlier `up` was waiting for.
      if (change.columns.includes('up') || change.columns.includes('options')) this.note(change.uuid);
    }
  }

  private note(uuid: string): void {
    const row = this.client.replica.row('Logical_Switch_Port', uuid);
    if (row?.external_ids.get(KIND) !== 'port') return;
    this.reports.set(uuid, row.up === true);
    this.writing ??= this.write().finally(() => {
      this.writing = null;
    });
  }

  private async write(): Promise<void> {
    await delay(GATHER_MS, this.stopped.signal);
    while (this.reports.size > 0 && !this.stopped.signal.aborted) {
      const states = [...this.reports].slice(0, PIECE).map(([id, up]) => ({ id, up }));
      try {
        await this.take(states);
      } catch (error) {
        this.log.warn({ err: error }, 'port states could not be written; trying again');
        await delay(RETRY_MS, this.stopped.signal);
        continue;
      }
      for (const { id, up } of states) if (this.reports.get(id) === up) this.reports.delete(id);
    }
  }

  private async take(states: readonly { readonly id: string; readonly up: boolean }[]): Promise<void> {
    const now = this.clock.now();
    const changed = new Set(await this.books.ports.setStatuses(this.books.db, states, now));
    const events = states
      .filter(({ id }) => changed.has(id))
      .map(({ id, up }) => ({ resourceId: id, what: up ? 'port up' : 'port down' }));
    await record(this.books.db, events, now);
  }
}
