/**
 * The desired state of servers on nodes. A flow writes a row with a pair that is higher than any before it for that server
 * (`ctx.next()` under the server's key); the node fetches it, and what it does bears that pair.
 */
import type { Sql, Tx } from '#libs/platform/db';
import type { DesiredPower, Errand } from '#services/compute/domain';

/** Told of each server whose guest is told something else of itself from now on. */
export const SERVER_NEWS_CHANNEL = 'compute_server_news';

export interface Pair {
  readonly fence: number;
  readonly seq: number;
}

export interface ServerNode extends Pair {
  readonly serverId: string;
  readonly node: string;
  readonly power: DesiredPower;
  readonly generation: number;
  readonly confirmedAt: Date | null;
  /** The image that its disk is to be copied into. */
  readonly exportImageId: string | null;
  readonly errand: Errand | null;
  /** Number of what the guest is told of itself. */
  readonly news: number;
}

/** A server of which its node has to fetch anew what the guest is told. */
export type NewsOfServer = Pick<ServerNode, 'serverId' | 'node'>;

interface AimedServer extends Pick<ServerNode, 'serverId' | 'node' | 'power' | 'generation'> {
  readonly exportImageId?: string;
  readonly errand?: Errand;
}

/** A desired state together with what its node said last about it. */
export interface Aim extends ServerNode {
  readonly nodeState: 'up' | 'down';
  /** Placement has been told that the node takes nothing. */
  readonly closed: boolean;
  readonly outcome: 'busy' | 'done' | 'failed' | 'refused' | null;
  readonly error: string | null;
}

const COLUMNS = `n.server_id as "serverId", n.node, n.power, n.fence, n.seq, n.generation, n.confirmed_at as "confirmedAt",
    n.export_image_id as "exportImageId", n.errand, n.news`;
/** A report counts for the desired state only where it bears the same pair. */
const AIM = `select ${COLUMNS}, m.state as "nodeState", m.told <> '' and m.told <> 'open' as closed, r.outcome, r.error
    from server_node n join node m on m.name = n.node
    left join server_report r on r.server_id = n.server_id and r.node = n.node and (r.fence, r.seq) = (n.fence, n.seq)`;

const FIND = {
  name: 'server_node.find',
  text: `select ${COLUMNS} from server_node n where server_id = $1 and node = $2`,
};
const AIM_AT = { name: 'server_node.aim', text: `${AIM} where n.server_id = $1 and n.node = $2` };
const LEAVING = {
  name: 'server_node.leaving',
  text: `${AIM} where n.server_id = $1 and n.power = 'absent' and n.confirmed_at is null order by n.node`,
};
const AIM_AS = {
  name: 'server_node.set',
  text: `insert into server_node as n (server_id, node, power, fence, seq, generation, changed_at, export_image_id, errand)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (server_id, node) do update set power = excluded.power, fence = excluded.fence, seq = excluded.seq,
      generation = greatest(excluded.generation, n.generation + 1), changed_at = excluded.changed_at, confirmed_at = null,
      export_image_id = excluded.export_image_id, errand = excluded.errand
    where (n.fence, n.seq) < (excluded.fence, excluded.seq) returning generation`,
};
const CLEAR_AWAY = {
  name: 'server_node.clear_away',
  text: `update server_node set power = 'absent', fence = $2, seq = $3, generation = generation + 1, changed_at = $4, confirmed_at = null,
      export_image_id = null, errand = null
    where server_id = $1 and (fence, seq) < ($2, $3) and not (power = 'absent' and confirmed_at is not null)`,
};
const ON_NODE = {
  name: 'server_node.on_node',
  text: `select ${COLUMNS} from server_node n where node = $1 and not (power = 'absent' and confirmed_at is not null) order by server_id`,
};

const RENEW = {
  name: 'server_node.renew',
  text: `update server_node set news = news + 1 where server_id = any ($1) and power <> 'absent'
    returning server_id as "serverId"`,
};
const STALE = {
  name: 'server_node.stale',
  text: `select n.server_id as "serverId", n.node from server_node n join node m on m.name = n.node
    where n.news > n.news_kept and n.power <> 'absent' and m.state = 'up' order by n.server_id limit $1`,
};
const KEPT = {
  name: 'server_node.news_kept',
  text: `update server_node set news_kept = $3 where server_id = $1 and node = $2 and news_kept < $3 and news >= $3`,
};

export class ServerNodeRepo {
  find(on: Sql, serverId: string, node: string): Promise<ServerNode | undefined> {
    return on.one<ServerNode>(FIND, [serverId, node]);
  }

  /** With the node's latest word about exactly this desired state. */
  aim(on: Sql, serverId: string, node: string): Promise<Aim | undefined> {
    return on.one<Aim>(AIM_AT, [serverId, node]);
  }

  /** Where something of the server may still be that should be gone. */
  leaving(on: Sql, serverId: string): Promise<Aim[]> {
    return on.query<Aim>(LEAVING, [serverId]);
  }

  /**
   * Returns the generation, which rises with each desired state of a server on a node, so that the node can tell a change
   * from a repetition. Undefined: a higher pair stands there already.
   */
  async set(on: Sql, aim: Pair & AimedServer, now: Date): Promise<number | undefined> {
    const { serverId, node, power, fence, seq, generation, exportImageId = null, errand = null } = aim;
    const params = [serverId, node, power, fence, seq, generation, now, exportImageId, errand];
    const row = await on.one<{ generation: number }>(AIM_AS, params);
    return row?.generation;
  }

  /** The server is to be gone from wherever it may be. */
  async clearAway(on: Sql, serverId: string, pair: Pair, now: Date): Promise<void> {
    await on.exec(CLEAR_AWAY, [serverId, pair.fence, pair.seq, now]);
  }

  /** The desired power has become another one without a command: the guest did it by itself. */
  async follow(
    on: Sql,
    serverId: string,
    node: string,
    power: Exclude<DesiredPower, 'absent'>,
    now: Date,
  ): Promise<void> {
    await on.exec(
      `update server_node set power = $3, changed_at = $4 where server_id = $1 and node = $2 and power <> 'absent'`,
      [serverId, node, power, now],
    );
  }

  /** What the guests of these servers are told of themselves has changed. */
  async renew(tx: Tx, serverIds: readonly string[]): Promise<void> {
    const renewed = await tx.query<{ serverId: string }>(RENEW, [serverIds]);
    for (const { serverId } of renewed) tx.notify(SERVER_NEWS_CHANNEL, serverId);
  }

  /** Servers on nodes that are up and have not said that they have the news. */
  stale(on: Sql, limit: number): Promise<NewsOfServer[]> {
    return on.query<NewsOfServer>(STALE, [limit]);
  }

  async newsKept(on: Sql, serverId: string, node: string, news: number): Promise<void> {
    await on.exec(KEPT, [serverId, node, news]);
  }

  /** Everything that is on a node, or was sent there, or may be left there. */
  onNode(on: Sql, node: string): Promise<ServerNode[]> {
    return on.query<ServerNode>(ON_NODE, [node]);
  }

  /** Forgets where the server has left; the rows of nodes that have not confirmed stay. */
  async forgetCleared(on: Sql, serverId: string): Promise<void> {
    await on.exec(`delete from server_node where server_id = $1 and power = 'absent' and confirmed_at is not null`, [
      serverId,
    ]);
  }
}
