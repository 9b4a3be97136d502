/** What the auditor is told of servers. */
import type { Sql } from '#libs/platform/db';
import type { VmState } from '#services/compute/domain';

export interface BookedServer {
  readonly id: string;
  readonly host: string | null;
  readonly vmState: VmState;
}

const BUSY = `select substr(key, 8) as id from task where state in ('running', 'queued') and key like 'server/%'`;

export class BookRepo {
  servers(on: Sql): Promise<BookedServer[]> {
    return on.query<BookedServer>('select id, host, vm_state as "vmState" from server');
  }

  /** Servers with an operation at work. */
  async busyServers(on: Sql): Promise<string[]> {
    return (await on.query<{ id: string }>(BUSY)).map((row) => row.id);
  }
}
