/** Nodes as agents: what OVN said of each when it last said something else, and what operators say of it. */
import type { Sql } from '#libs/platform/db';
import type { AgentRecord, Chassis } from '#services/network/domain';

interface Row {
  readonly id: string;
  readonly chassis: string;
  readonly host: string;
  readonly gateway: boolean;
  readonly zones: readonly string[];
  readonly bridge_mappings: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly created_at: Date;
  readonly started_at: Date;
  readonly left_at: Date | null;
}

const toAgent = (row: Row): AgentRecord => ({
  id: row.id,
  chassis: row.chassis,
  host: row.host,
  isGateway: row.gateway,
  zones: row.zones,
  bridgeMappings: row.bridge_mappings,
  description: row.description,
  adminStateUp: row.admin_state_up,
  createdAt: row.created_at,
  startedAt: row.started_at,
  leftAt: row.left_at,
});

export interface AgentChange {
  readonly description?: string | undefined;
  readonly adminStateUp?: boolean | undefined;
}

const FACTS = ['host', 'gateway', 'zones', 'bridge_mappings', 'incarnation'];
const facts = (of: string): string => FACTS.map((fact) => `${of}.${fact}`).join(', ');

export class AgentRepo {
  /** All of them, in the order in which they came. There are as many as nodes. */
  async list(on: Sql): Promise<AgentRecord[]> {
    return (await on.query<Row>('select * from agent order by created_at, id')).map(toAgent);
  }

  async find(on: Sql, id: string): Promise<AgentRecord | undefined> {
    const row = await on.one<Row>('select * from agent where id = $1', [id]);
    return row && toAgent(row);
  }

  async update(on: Sql, id: string, change: AgentChange): Promise<AgentRecord | undefined> {
    const row = await on.one<Row>(
      `update agent set description = coalesce($2, description), admin_state_up = coalesce($3, admin_state_up)
       where id = $1 returning *`,
      [id, change.description ?? null, change.adminStateUp ?? null],
    );
    return row && toAgent(row);
  }

  async delete(on: Sql, id: string): Promise<boolean> {
    return (await on.exec('delete from agent where id = $1', [id])) > 0;
  }

  /** Writes down who is there, and who is not any more. Nothing is written where all is as it was. */
  async observe(on: Sql, all: readonly Chassis[], newId: () => string, now: Date): Promise<void> {
    const seen = all.map((chassis) => ({
      id: newId(),
      chassis: chassis.name,
      host: chassis.hostname,
      gateway: chassis.isGateway,
      zones: chassis.zones,
      bridge_mappings: chassis.bridgeMappings,
      incarnation: chassis.id,
    }));
    await on.exec(
      `insert into agent (id, chassis, ${FACTS.join(', ')}, created_at, started_at)
       select s.id, s.chassis, ${facts('s')}, $2, $2 from jsonb_to_recordset($1::jsonb)
         as s(id uuid, chassis text, host text, gateway boolean, zones text[], bridge_mappings text, incarnation uuid)
       on conflict (chassis) do update set (${FACTS.join(', ')}) = (${facts('excluded')}), left_at = null,
         started_at = case when agent.incarnation = excluded.incarnation and agent.left_at is null
           then agent.started_at else excluded.started_at end
       where (${facts('agent')}) is distinct from (${facts('excluded')}) or agent.left_at is not null`,
      [JSON.stringify(seen), now],
    );
    await on.exec('update agent set left_at = $2 where left_at is null and chassis <> all($1::text[])', [
      seen.map(({ chassis }) => chassis),
      now,
    ]);
  }
}
