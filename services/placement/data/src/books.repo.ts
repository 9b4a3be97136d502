/** What the operator's command asks placement: who holds what, what became of a consumer, and do the sums agree. */
import { isUuid } from '#libs/kernel';
import type { Db } from '#libs/platform/db';

export interface ClaimEvent {
  readonly at: Date;
  readonly consumerId: string;
  readonly node: string | null;
  readonly what: string;
  readonly outcome: string;
  readonly detail: string;
  readonly requestId: string;
}

export class BooksRepo {
  constructor(private readonly db: Db) {}

  /** Events of one consumer or one request, oldest first. */
  async events(id: string): Promise<ClaimEvent[]> {
    const column = isUuid(id) ? 'consumer_id' : 'request_id';
    return this.db.query(
      `select e.at, e.consumer_id as "consumerId", p.name as node, e.what, e.outcome, e.detail, e.request_id as "requestId"
         from event e left join provider p on p.id = e.provider_id where e.${column} = $1 order by e.id limit 1000`,
      [id],
    );
  }

  /** Providers whose `used` is not the sum of their allocations; none, ever. */
  async mismatches(): Promise<{ name: string; used: unknown; held: unknown }[]> {
    return this.db.query(
      `select p.name, p.used, s.held from provider p cross join lateral (
          select coalesce(jsonb_object_agg(class, units), '{}') as held
            from (select class, sum(amount)::bigint as units from allocation where provider_id = p.id group by class) a) s
        where p.used <> s.held`,
    );
  }

  async alive(): Promise<boolean> {
    return this.db.query('select 1').then(
      () => true,
      () => false,
    );
  }

  /** Forgets events and idle groups after `days`, and pairs of consumers that hold nothing after three times that. */
  async purge(days: number): Promise<void> {
    await this.db.exec(`delete from event where at < now() - $1::int * interval '1 day'`, [days]);
    await this.db.exec(
      `delete from claim_group g where at < now() - $1::int * interval '1 day'
         and not exists (select from consumer c where c.group_id = g.id)`,
      [days],
    );
    await this.db.exec(
      `delete from consumer_fence f where at < now() - 3 * $1::int * interval '1 day'
         and not exists (select from allocation a where a.consumer_id = f.consumer_id)`,
      [days],
    );
  }
}
