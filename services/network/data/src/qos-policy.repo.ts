/** QoS policies with their rules, and what they are attached to. At most one rule of a type in each direction. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { Direction, QosPolicy, QosRule, QosRuleShape, QosRuleType } from '#services/network/domain';
import { directionOf, EVERYONE } from '#services/network/domain';
import { markSelected } from './journal.js';
import {
  byBoolean,
  byInteger,
  byTags,
  byText,
  byUuid,
  type ListRequest,
  type ListSpec,
  listSql,
  ownOrShared,
  type Page,
  pageOf,
  type Scope,
  since,
  targetsSql,
} from './listing.js';

interface RuleRow {
  readonly id: string;
  readonly type: QosRuleType;
  readonly direction: Direction | null;
  readonly max_kbps: number | null;
  readonly max_burst_kbps: number | null;
  readonly min_kbps: number | null;
  readonly dscp_mark: number | null;
}

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly shared_with: readonly string[];
  readonly is_default: boolean;
  readonly rules: readonly RuleRow[];
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const RULE_JSON = `json_build_object('id', r.id, 'type', r.type, 'direction', r.direction, 'max_kbps', r.max_kbps,
  'max_burst_kbps', r.max_burst_kbps, 'min_kbps', r.min_kbps, 'dscp_mark', r.dscp_mark)`;
const SELECT = `q.*, ${targetsSql('q', 'access_as_shared')} as shared_with,
  coalesce((select json_agg(${RULE_JSON} order by r.type, r.direction) from qos_rule r where r.policy_id = q.id), '[]') as rules`;

const isShared = `exists (select 1 from rbac_policy r where r.object_id = q.id and r.action = 'access_as_shared' and r.target = '${EVERYONE}')`;

/** The constraints of the table say which columns each type has. */
function toRule(row: RuleRow): QosRule {
  const { id, type } = row;
  const direction = row.direction ?? 'egress';
  if (type === 'dscp_marking') return { id, type, dscpMark: row.dscp_mark ?? 0 };
  if (type === 'minimum_bandwidth') return { id, type, direction, minKbps: row.min_kbps ?? 0 };
  return { id, type, direction, maxKbps: row.max_kbps ?? 0, maxBurstKbps: row.max_burst_kbps ?? 0 };
}

const toPolicy = (row: Row): QosPolicy => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  sharedWith: row.shared_with,
  isDefault: row.is_default,
  rules: row.rules.map(toRule),
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'qos_policy q',
  id: 'q.id',
  filters: {
    id: byUuid('q.id'),
    name: byText('q.name'),
    project_id: byText('q.project_id'),
    tenant_id: byText('q.project_id'),
    description: byText('q.description'),
    shared: byBoolean(isShared),
    is_default: byBoolean('q.is_default'),
    revision_number: byInteger('q.revision'),
    changed_since: since('q.updated_at'),
    ...byTags('q.tags'),
  },
  sortable: {
    id: 'q.id',
    name: 'q.name',
    project_id: 'q.project_id',
    tenant_id: 'q.project_id',
    created_at: 'q.created_at',
    updated_at: 'q.updated_at',
  },
};
export const QOS_POLICY_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewQosPolicy = Pick<QosPolicy, 'id' | 'projectId' | 'name' | 'description' | 'isDefault'>;
export interface QosPolicyChange {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly isDefault?: boolean | undefined;
}

/** Where a policy is attached. A table's name, and what failures call it. */
export type QosObject = 'network' | 'port' | 'floatingip' | 'router';
export const QOS_OBJECTS: readonly QosObject[] = ['network', 'port', 'floatingip', 'router'];

export class QosPolicyRepo {
  async find(on: Sql, id: string): Promise<QosPolicy | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from qos_policy q where q.id = $1`, [id]);
    return row && toPolicy(row);
  }

  /** The policy as it is now; nobody changes it or its rules until the transaction ends. */
  async lock(tx: Tx, id: string): Promise<QosPolicy | undefined> {
    const locked = await tx.one('select 1 from qos_policy where id = $1 for update', [id]);
    return locked === undefined ? undefined : this.find(tx, id);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<QosPolicy>> {
    const { text, params } = listSql(LIST, request, ownOrShared('q', scope, 'access_as_shared'));
    return pageOf((await on.query<Row>(text, params)).map(toPolicy), request);
  }

  /** The policy to which a rule of the type belongs. */
  async ofRule(on: Sql, type: QosRuleType, ruleId: string): Promise<QosPolicy | undefined> {
    const row = await on.one<Row>(
      `select ${SELECT} from qos_policy q where q.id = (select policy_id from qos_rule where id = $1 and type = $2)`,
      [ruleId, type],
    );
    return row && toPolicy(row);
  }

  /** Throws a violation of `qos_policy_default` for a second default of the project. */
  async insert(tx: Tx, policy: NewQosPolicy, now: Date): Promise<void> {
    await tx.exec(
      `insert into qos_policy (id, project_id, name, description, is_default, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $6)`,
      [policy.id, policy.projectId, policy.name, policy.description, policy.isDefault, now],
    );
  }

  async update(tx: Tx, id: string, change: QosPolicyChange, now: Date): Promise<boolean> {
    const done = await tx.exec(
      `update qos_policy set name = coalesce($2, name), description = coalesce($3, description),
         is_default = coalesce($4, is_default), revision = revision + 1, updated_at = $5
       where id = $1`,
      [id, change.name, change.description, change.isDefault, now],
    );
    return done === 1;
  }

  async delete(tx: Tx, id: string): Promise<boolean> {
    return (await tx.exec('delete from qos_policy where id = $1', [id])) === 1;
  }

  async insertRule(tx: Tx, policyId: string, rule: QosRule, now: Date): Promise<void> {
    await tx.exec(
      `insert into qos_rule (id, policy_id, type, direction, max_kbps, max_burst_kbps, min_kbps, dscp_mark, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [rule.id, policyId, rule.type, ...columnsOf(rule), now],
    );
  }

  async updateRule(tx: Tx, rule: QosRule): Promise<void> {
    await tx.exec(
      `update qos_rule set direction = $2, max_kbps = $3, max_burst_kbps = $4, min_kbps = $5, dscp_mark = $6 where id = $1`,
      [rule.id, ...columnsOf(rule)],
    );
  }

  async deleteRule(tx: Tx, id: string): Promise<boolean> {
    return (await tx.exec('delete from qos_rule where id = $1', [id])) === 1;
  }

  /** Attaches the policy, or none. Throws a violation of `…_qos_policy` where it is gone. */
  async attach(tx: Tx, object: QosObject, id: string, policyId: string | null): Promise<void> {
    await tx.exec(`update ${object} set qos_policy_id = $2 where id = $1`, [id, policyId]);
  }

  /** Attaches the default policy of the project to its new network, where it has one, and says which. */
  async attachDefault(tx: Tx, networkId: string, projectId: string): Promise<string | null> {
    const row = await tx.one<{ id: string }>(
      `update network n set qos_policy_id = q.id
       from (select id from qos_policy where project_id = $2 and is_default for key share) q
       where n.id = $1 returning q.id`,
      [networkId, projectId],
    );
    return row?.id ?? null;
  }

  /** Something that uses the policy. */
  async user(on: Sql, id: string): Promise<{ readonly object: QosObject; readonly id: string } | undefined> {
    const users = QOS_OBJECTS.map(
      (object) => `(select '${object}' as object, id from ${object} where qos_policy_id = $1 limit 1)`,
    );
    return on.one(`${users.join(' union all ')} limit 1`, [id]);
  }

  /** A project that uses the policy while nothing allows it to. */
  async stranger(on: Sql, id: string): Promise<string | undefined> {
    const users = QOS_OBJECTS.map((object) => `select project_id from ${object} where qos_policy_id = $1`);
    const row = await on.one<{ project_id: string }>(
      `select u.project_id from (${users.join(' union ')}) u
       where u.project_id <> (select q.project_id from qos_policy q where q.id = $1) and not exists (
         select 1 from rbac_policy r where r.object_id = $1 and r.action = 'access_as_shared' and r.target in (u.project_id, '*'))
       limit 1`,
      [id],
    );
    return row?.project_id;
  }

  /**
   * Marks what the policy is in force on: its own ports and floating IPs, its networks' that have none, and routers whose
   * gateways have it.
   */
  async markUnder(tx: Tx, id: string, now: Date): Promise<void> {
    for (const kind of ['port', 'floatingip'] as const) {
      const own = `select id from ${kind} where qos_policy_id = $3
        union all select o.id from ${kind} o join network n on n.id = o.network_id
          where n.qos_policy_id = $3 and o.qos_policy_id is null`;
      await markSelected(tx, kind, own, [id], now);
    }
    await markSelected(tx, 'router', 'select id from router where qos_policy_id = $3', [id], now);
  }

  /**
   * The rules of several policies. Waits for a change of them that is under way: it may not have seen a port that was
   * made meanwhile, and so must be seen by whoever asks for that port.
   */
  async rulesOf(on: Sql, policyIds: readonly string[]): Promise<ReadonlyMap<string, readonly QosRuleShape[]>> {
    if (policyIds.length === 0) return new Map();
    await on.exec('select 1 from qos_policy where id = any($1::uuid[]) order by id for key share', [policyIds]);
    const rows = await on.query<RuleRow & { readonly policy_id: string }>(
      { name: 'qos-rules-of', text: 'select * from qos_rule where policy_id = any($1::uuid[])' },
      [policyIds],
    );
    const byPolicy = new Map<string, QosRuleShape[]>();
    for (const row of rows) byPolicy.set(row.policy_id, [...(byPolicy.get(row.policy_id) ?? []), toRule(row)]);
    return byPolicy;
  }
}

/** Direction, limit, burst, promise and mark, as the table has them. */
const columnsOf = (rule: QosRuleShape): readonly (string | number | null)[] => [
  directionOf(rule),
  rule.type === 'bandwidth_limit' ? rule.maxKbps : null,
  rule.type === 'bandwidth_limit' ? rule.maxBurstKbps : null,
  rule.type === 'minimum_bandwidth' ? rule.minKbps : null,
  rule.type === 'dscp_marking' ? rule.dscpMark : null,
];

export const isSecondDefaultQos = (error: unknown): boolean => isViolation(error, 'unique', 'qos_policy_default');
/** A policy that went away while it was attached, or was attached while it went away. */
export const isQosPolicyBound = (error: unknown): boolean =>
  QOS_OBJECTS.some((object) => isViolation(error, 'foreignKey', `${object}_qos_policy`));
