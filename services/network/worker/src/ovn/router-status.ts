/**
 * Where gateways are and which floating IPs are translated is OVN's to say: the status that clients see follows from it.
 * Reports are gathered for a moment and written at once; what could not be written is kept and tried again.
 */
import { delay } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Change } from '#libs/platform/ovsdb';
import type { NetworkBooks } from '#services/network/data';
import { KIND, ROUTER } from '#services/network/domain';
import type { NbClient, Northbound } from './northbound.js';

const GATHER_MS = 10;
const RETRY_MS = 1_000;

export class RouterStatus {
  private readonly hosts = new Map<string, string>();
  private readonly floating = new Map<string, string>();
  private readonly stopped = new AbortController();
  private writing: Promise<void> | null = null;
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly books: NetworkBooks,
    private readonly client: NbClient,
    private readonly log: Log,
  ) {}

  start(): void {
    this.unsubscribe = this.client.onChanges((changes) => this.hear(changes));
    for (const uuid of this.client.replica.table('Logical_Router_Port').keys()) this.noteGateway(uuid);
    for (const uuid of this.client.replica.table('NAT').keys()) this.noteFloating(uuid);
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    this.stopped.abort();
    await this.writing;
  }

  private hear(changes: readonly Change<Northbound>[]): void {
    for (const { table, uuid, columns, kind } of changes) {
      if (table === 'Logical_Router_Port' && kind !== 'delete' && columns.includes('status')) this.noteGateway(uuid);
      // A row that is gone may have been any; one that was no floating IP's changes nothing.
      if (table === 'NAT') this.noteFloating(uuid);
    }
  }

  private noteGateway(uuid: string): void {
    const row = this.client.replica.row('Logical_Router_Port', uuid);
    const router = row?.external_ids.get(ROUTER);
    if (row === undefined || router === undefined || row.gateway_chassis.size === 0) return;
    this.hosts.set(router, row.status.get('hosting-chassis') ?? '');
    this.begin();
  }

  private noteFloating(uuid: string): void {
    const row = this.client.replica.row('NAT', uuid);
    if (row !== undefined && row.external_ids.get(KIND) !== 'floatingip') return;
    const where = row?.external_mac == null ? 'central' : 'distributed';
    this.floating.set(uuid, row === undefined ? '' : `${row.external_ids.get(ROUTER)} ${row.logical_ip} ${where}`);
    this.begin();
  }

  private begin(): void {
    this.writing ??= this.write().finally(() => {
      this.writing = null;
    });
  }

  private async write(): Promise<void> {
    await delay(GATHER_MS, this.stopped.signal);
    while (this.hosts.size + this.floating.size > 0 && !this.stopped.signal.aborted) {
      const [hosts, floating] = [[...this.hosts], [...this.floating]];
      try {
        const { db, routers, floatingIps } = this.books;
        await routers.setGatewayHosts(
          db,
          hosts.map(([routerId, host]) => ({ routerId, host })),
        );
        await floatingIps.setRealized(
          db,
          floating.map(([id, state]) => ({ id, state })),
        );
      } catch (error) {
        this.log.warn({ err: error }, 'where gateways are could not be written; trying again');
        await delay(RETRY_MS, this.stopped.signal);
        continue;
      }
      for (const [id, host] of hosts) if (this.hosts.get(id) === host) this.hosts.delete(id);
      for (const [id, state] of floating) if (this.floating.get(id) === state) this.floating.delete(id);
    }
  }
}
