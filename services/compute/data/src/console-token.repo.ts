/** Console tokens. They are kept and looked for by their hash: who reads the table opens nothing. */
import { createHash } from 'node:crypto';
import type { Sql } from '#libs/platform/db';
import type { ConsoleToken } from '#services/compute/domain';

/** A token that still opens something, with the agent to ask. */
export interface OpenConsole extends ConsoleToken {
  readonly agentGrpc: string;
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

const LIVE = `from console_token t join server s on s.id = t.server_id and s.host = t.node join node n on n.name = t.node`;
const COLUMNS = `t.server_id as "serverId", t.node, t.type, t.expires_at as "expiresAt", n.agent_grpc as "agentGrpc"`;
const INSERT = {
  name: 'console_token.insert',
  text: 'insert into console_token (hash, server_id, node, type, expires_at) values ($1, $2, $3, $4, $5)',
};
const FIND = {
  name: 'console_token.find',
  text: `select ${COLUMNS} ${LIVE} where t.hash = $1 and t.used_at is null and t.expires_at > $2`,
};
const REDEEM = {
  name: 'console_token.redeem',
  text: `with used as (update console_token set used_at = $2 where hash = $1 and used_at is null and expires_at > $2 returning *)
    select ${COLUMNS} ${LIVE.replace('console_token t', 'used t')}`,
};

export class ConsoleTokenRepo {
  async insert(on: Sql, token: string, { serverId, node, type, expiresAt }: ConsoleToken): Promise<void> {
    await on.exec(INSERT, [hashOf(token), serverId, node, type, expiresAt]);
  }

  /** Undefined: it opens nothing any more. */
  find(on: Sql, token: string, now: Date): Promise<OpenConsole | undefined> {
    return on.one<OpenConsole>(FIND, [hashOf(token), now]);
  }

  /** Uses the token up. Undefined: it opened nothing any more. */
  redeem(on: Sql, token: string, now: Date): Promise<OpenConsole | undefined> {
    return on.one<OpenConsole>(REDEEM, [hashOf(token), now]);
  }

  async purge(on: Sql, before: Date): Promise<void> {
    await on.exec('delete from console_token where expires_at < $1', [before]);
  }
}
