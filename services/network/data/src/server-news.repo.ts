/** Which servers compute has to look at again, told in the transaction that changed their ports. */
import { isUuid } from '#libs/kernel';
import type { Sql, Tx } from '#libs/platform/db';
import { isServiceOwner, type Port } from '#services/network/domain';

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

type Plugged = Pick<Port, 'deviceId' | 'deviceOwner'>;

const DEVICES = 'select device_id as "deviceId", device_owner as "deviceOwner" from port where';
const OF_PORTS = { name: 'server-news-ports', text: `${DEVICES} id = any($1::uuid[])` };
const OF_NETWORK = { name: 'server-news-network', text: `${DEVICES} network_id = $1` };
const OF_GROUP = {
  name: 'server-news-group',
  text: `${DEVICES} id in (select port_id from port_security_group where group_id = $1)`,
};

/** Whoever the port is plugged into; what serves a network itself is no server. */
export const devicesOf = (ports: readonly Plugged[]): string[] =>
  ports.filter((port) => port.deviceId !== '' && !isServiceOwner(port.deviceOwner)).map((port) => port.deviceId);

export class ServerNewsRepo {
  /** Ids that are no server's are left out: a client may write anything on a port. */
  async tell(tx: Tx, deviceIds: readonly string[], now: Date): Promise<void> {
    const ids = [...new Set(deviceIds.filter(isUuid).map((id) => id.toLowerCase()))];
    if (ids.length === 0) return;
    await tx.exec(TELL, [ids, now]);
    tx.notify(SERVER_NEWS_CHANNEL);
  }

  /** Of the servers into which these ports are plugged. */
  async tellOfPorts(tx: Tx, portIds: readonly (string | null)[], now: Date): Promise<void> {
    const ids = portIds.filter((id) => id !== null);
    if (ids.length === 0) return;
    await this.tell(tx, devicesOf(await tx.query<Plugged>(OF_PORTS, [ids])), now);
  }

  /** Of the servers with a port in that security group. */
  async tellOfGroup(tx: Tx, groupId: string, now: Date): Promise<void> {
    await this.tell(tx, devicesOf(await tx.query<Plugged>(OF_GROUP, [groupId])), now);
  }

  /** Of the servers with a port on that network. */
  async tellOfNetwork(tx: Tx, networkId: string, now: Date): Promise<void> {
    await this.tell(tx, devicesOf(await tx.query<Plugged>(OF_NETWORK, [networkId])), now);
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
