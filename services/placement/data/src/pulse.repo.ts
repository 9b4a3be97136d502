/** How nodes fare, as compute tells every few seconds of those where something has changed. */
import type { Db } from '#libs/platform/db';
import type { Pulse } from '#services/placement/domain';

export type NodePulse = Pulse & { readonly providerId: string };

export class PulseRepo {
  constructor(private readonly db: Db) {}

  /** Of nodes that are known; others are left out. */
  async write(pulses: readonly NodePulse[]): Promise<void> {
    await this.db.exec(
      `insert into pulse as n (provider_id, load, failures, failed_at)
         select x."providerId", x.load, x.failures, x."failedAt"
           from jsonb_to_recordset($1::jsonb) as x ("providerId" uuid, load real, failures int, "failedAt" timestamptz)
           join provider p on p.id = x."providerId"
       on conflict (provider_id) do update set load = excluded.load, failures = excluded.failures, failed_at = excluded.failed_at`,
      [JSON.stringify(pulses)],
    );
  }

  async read(): Promise<ReadonlyMap<string, Pulse>> {
    const rows = await this.db.query<NodePulse>(
      `select provider_id as "providerId", load, failures, failed_at as "failedAt" from pulse`,
    );
    return new Map(rows.map(({ providerId, ...pulse }) => [providerId, pulse]));
  }
}
