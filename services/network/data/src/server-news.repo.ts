/** Which servers compute has to look at again, told in the transaction that changed their ports. */
import { isUuid } from '#libs/kernel';
import type { Sql, Tx } from '#libs/platform/db';

export const SERVER_NEWS_CHANNEL = 'network_server_news';

export interface ServerNews {
  readonly serverId: string;
  readonly n: number;
}

const TELL = {
  name: 'server-news-tell',
  text: `insert into server_news (server_id, since) select i, $2 from unnest($1::uuid[]) i order by i
    on conflict (server_id) do update set n = nextval('server_news_n')`,
};

export class ServerNewsRepo {
  /** Ids that are no server's are left out: a client may write anything on a port. */
  async tell(tx: Tx, deviceIds: readonly string[], now: Date): Promise<void> {
    const ids = [...new Set(deviceIds.filter(isUuid).map((id) => id.toLowerCase()))];
    if (ids.length === 0) return;
    await tx.exec(TELL, [ids, now]);
    tx.notify(SERVER_NEWS_CHANNEL);
  }

  /** The oldest first. */
  due(on: Sql, limit: number): Promise<ServerNews[]> {
    return on.query<ServerNews>('select server_id as "serverId", n from server_news order by n limit $1', [limit]);
  }

  /** Compute has taken note. What has changed again since stays. */
  async settle(on: Sql, news: readonly ServerNews[]): Promise<void> {
    await on.exec(
      'delete from server_news d using unnest($1::uuid[], $2::bigint[]) s(server_id, n) where d.server_id = s.server_id and d.n = s.n',
      [news.map(({ serverId }) => serverId), news.map(({ n }) => n)],
    );
  }
}
