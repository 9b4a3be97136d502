/**
 * LISTEN over one connection of its own. Notifications are hints: they may be lost while the connection is away, so
 * after each reconnect every listener is called once without a payload.
 */
import pg from 'pg';
import { delay } from '#libs/kernel';
import type { Listener } from './types.js';

export class Notifications {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly stopped = new AbortController();
  private client: pg.Client | undefined;
  private running: Promise<void> | undefined;

  /** `isOwn` says whether a backend belongs to this process: its notifications were delivered locally already. */
  constructor(
    private readonly config: pg.ClientConfig,
    private readonly isOwn: (backend: number) => boolean,
  ) {}

  /** Adds a listener; resolves when the channel is heard, or at once while the database is away. */
  async add(channel: string, listener: Listener): Promise<() => void> {
    const known = this.listeners.get(channel);
    if (known) known.add(listener);
    else this.listeners.set(channel, new Set([listener]));
    if (!this.running) {
      this.running = this.run();
      await this.connectOnce;
    } else if (!known) {
      await this.client?.query(`listen ${pg.escapeIdentifier(channel)}`).catch(() => undefined);
    }
    return () => this.listeners.get(channel)?.delete(listener);
  }

  /** Calls the listeners of this process. */
  deliver(channel: string, payload: string | undefined): void {
    for (const listener of this.listeners.get(channel) ?? []) listener(payload);
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await this.client?.end().catch(() => undefined);
    await this.running;
  }

  private markConnected: () => void = () => undefined;
  private readonly connectOnce = new Promise<void>((resolve) => {
    this.markConnected = resolve;
  });

  private async run(): Promise<void> {
    let first = true;
    for (let failures = 0; !this.stopped.signal.aborted; ) {
      const client = new pg.Client(this.config);
      const ended = new Promise<void>((resolve) => {
        client.on('error', () => resolve());
        client.on('end', () => resolve());
      });
      client.on('notification', (note) => {
        if (!this.isOwn(note.processId)) this.deliver(note.channel, note.payload ?? '');
      });
      try {
        await client.connect();
        this.client = client;
        for (const channel of this.listeners.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
        failures = 0;
        this.markConnected();
        if (!first) for (const channel of this.listeners.keys()) this.deliver(channel, undefined);
        first = false;
        await ended;
      } catch {
        failures += 1;
        this.markConnected();
      }
      this.client = undefined;
      await client.end().catch(() => undefined);
      await delay(Math.min(2_000, 50 * 2 ** failures), this.stopped.signal);
    }
  }
}
