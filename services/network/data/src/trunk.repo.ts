/** Trunks with their parent and subports. `trunk_port` has each port once, so no port is in two trunks. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import { SUBPORT_OWNER, type Subport, type Trunk, type TrunkStatus } from '#services/network/domain';
import {
  byBoolean,
  byInteger,
  byTags,
  byText,
  byUuid,
  type ListRequest,
  type ListSpec,
  listSql,
  type Page,
  pageOf,
  type Scope,
  since,
} from './listing.js';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly port_id: string;
  readonly subports: readonly (readonly [portId: string, vlan: number])[];
  readonly status: TrunkStatus;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const PARENT = '(select m.port_id from trunk_port m where m.trunk_id = t.id and m.vlan is null)';
const some = (condition: string): string =>
  `exists (select 1 from trunk_port m join port p on p.id = m.port_id where m.trunk_id = t.id and ${condition})`;
const STATUS = `case when not ${some(`m.vlan is null and p.status = 'ACTIVE'`)} then 'DOWN'
  when ${some(`m.vlan is not null and p.status <> 'ACTIVE' and p.admin_state_up`)} then 'BUILD' else 'ACTIVE' end`;
const SELECT = `t.*, ${PARENT} as port_id, ${STATUS} as status,
  coalesce((select json_agg(json_build_array(m.port_id, m.vlan) order by m.vlan) from trunk_port m
    where m.trunk_id = t.id and m.vlan is not null), '[]') as subports`;

const toTrunk = (row: Row): Trunk => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  adminStateUp: row.admin_state_up,
  portId: row.port_id,
  subports: row.subports.map(([portId, vlan]) => ({ portId, vlan })),
  status: row.status,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'trunk t',
  id: 't.id',
  filters: {
    id: byUuid('t.id'),
    name: byText('t.name'),
    project_id: byText('t.project_id'),
    tenant_id: byText('t.project_id'),
    description: byText('t.description'),
    admin_state_up: byBoolean('t.admin_state_up'),
    port_id: byUuid(PARENT),
    status: byText(`(${STATUS})`),
    revision_number: byInteger('t.revision'),
    changed_since: since('t.updated_at'),
    ...byTags('t.tags'),
  },
  sortable: {
    id: 't.id',
    name: 't.name',
    project_id: 't.project_id',
    tenant_id: 't.project_id',
    admin_state_up: 't.admin_state_up',
    port_id: PARENT,
    status: `(${STATUS})`,
    created_at: 't.created_at',
    updated_at: 't.updated_at',
  },
};
export const TRUNK_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewTrunk = Pick<Trunk, 'id' | 'projectId' | 'name' | 'description' | 'adminStateUp' | 'portId'>;
export interface TrunkChange {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly adminStateUp?: boolean | undefined;
}

export class TrunkRepo {
  async find(on: Sql, id: string): Promise<Trunk | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from trunk t where t.id = $1`, [id]);
    return row && toTrunk(row);
  }

  /** The trunk as it is now; nobody changes it until the transaction ends. */
  async lock(tx: Tx, id: string): Promise<Trunk | undefined> {
    const locked = await tx.one('select 1 from trunk where id = $1 for update', [id]);
    return locked === undefined ? undefined : this.find(tx, id);
  }

  /** Keeps ports as they are until the transaction ends: a parent before what it carries, those in order. */
  async lockPorts(tx: Tx, parentId: string, subportIds: readonly string[]): Promise<void> {
    await tx.exec('select 1 from port where id = $1 for update', [parentId]);
    await tx.exec('select 1 from port where id = any($1::uuid[]) order by id for update', [subportIds]);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<Trunk>> {
    const { text, params } = listSql(LIST, request, (bind) =>
      scope === 'all' ? 'true' : `t.project_id = ${bind(scope.projectId)}`,
    );
    return pageOf((await on.query<Row>(text, params)).map(toTrunk), request);
  }

  async insert(tx: Tx, trunk: NewTrunk, now: Date): Promise<void> {
    await tx.exec(
      `with made as (insert into trunk (id, project_id, name, description, admin_state_up, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $7, $7) returning id)
       insert into trunk_port (port_id, trunk_id) select $6, made.id from made`,
      [trunk.id, trunk.projectId, trunk.name, trunk.description, trunk.adminStateUp, trunk.portId, now],
    );
  }

  async update(tx: Tx, id: string, change: TrunkChange, now: Date): Promise<boolean> {
    const done = await tx.exec(
      `update trunk set name = coalesce($2, name), description = coalesce($3, description),
         admin_state_up = coalesce($4, admin_state_up), revision = revision + 1, updated_at = $5
       where id = $1`,
      [id, change.name, change.description, change.adminStateUp, now],
    );
    return done === 1;
  }

  async delete(tx: Tx, id: string): Promise<void> {
    await tx.exec('delete from trunk where id = $1', [id]);
  }

  /** Puts ports beneath the trunk. Throws a violation of `trunk_port_vlan` where a VLAN is in use on it. */
  async join(tx: Tx, trunkId: string, subports: readonly Subport[], host: string, now: Date): Promise<void> {
    const [ports, vlans] = [subports.map(({ portId }) => portId), subports.map(({ vlan }) => vlan)];
    await tx.exec(
      `insert into trunk_port (port_id, trunk_id, vlan)
       select s.port, $1, s.vlan from unnest($2::uuid[], $3::int[]) s(port, vlan)`,
      [trunkId, ports, vlans],
    );
    await this.dress(tx, ports, SUBPORT_OWNER, host, now);
  }

  /** Takes subports from the trunk; gives those that were beneath it. */
  async leave(tx: Tx, trunkId: string, portIds: readonly string[], now: Date): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `delete from trunk_port where trunk_id = $1 and vlan is not null and port_id = any($2::uuid[])
       returning port_id as id`,
      [trunkId, portIds],
    );
    const left = rows.map((row) => row.id);
    await this.dress(tx, left, '', '', now);
    return left;
  }

  /** Has what a parent carries be bound where it is; gives the ports. */
  async follow(tx: Tx, parentId: string, host: string, now: Date): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select s.port_id as id from trunk_port s join trunk_port m on m.trunk_id = s.trunk_id
       where m.port_id = $1 and m.vlan is null and s.vlan is not null`,
      [parentId],
    );
    const ids = rows.map((row) => row.id);
    await this.dress(tx, ids, SUBPORT_OWNER, host, now);
    return ids;
  }

  private async dress(tx: Tx, ids: readonly string[], owner: string, host: string, now: Date): Promise<void> {
    if (ids.length === 0) return;
    await tx.exec(
      `update port set device_owner = $2, host = $3, status = case when $3 = '' then 'DOWN' else status end,
         revision = revision + 1, updated_at = $4
       where id = any($1::uuid[])`,
      [ids, owner, host, now],
    );
  }
}

export const isVlanTaken = (error: unknown): boolean => isViolation(error, 'unique', 'trunk_port_vlan');
/** A port that was to go while it is part of a trunk. */
export const isTrunked = (error: unknown): boolean => isViolation(error, 'foreignKey', 'trunk_port_port');
