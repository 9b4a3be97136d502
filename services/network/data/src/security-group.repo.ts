/** Security groups with their rules. A project has one default group at most; each rule stands in a group once. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { RuleShape, SecurityGroup, SecurityGroupRule } from '#services/network/domain';
import { normalizedPrefix, protocolNumber } from '#services/network/domain';
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
import { RULE_SELECT, type RuleRow, toRule } from './security-group-rule.repo.js';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly stateful: boolean;
  readonly is_default: boolean;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const toGroup = (row: Row, rules: readonly SecurityGroupRule[]): SecurityGroup => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  stateful: row.stateful,
  isDefault: row.is_default,
  rules,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: 'g.*',
  from: 'security_group g',
  id: 'g.id',
  filters: {
    id: byUuid('g.id'),
    name: byText('g.name'),
    project_id: byText('g.project_id'),
    tenant_id: byText('g.project_id'),
    description: byText('g.description'),
    stateful: byBoolean('g.stateful'),
    shared: (values, bind) => `false = any(${bind(values)}::boolean[])`,
    revision_number: byInteger('g.revision'),
    changed_since: since('g.updated_at'),
    ...byTags('g.tags'),
  },
  sortable: {
    id: 'g.id',
    name: 'g.name',
    project_id: 'g.project_id',
    tenant_id: 'g.project_id',
    created_at: 'g.created_at',
    updated_at: 'g.updated_at',
  },
};
export const GROUP_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewGroup = Pick<SecurityGroup, 'id' | 'projectId' | 'name' | 'description' | 'stateful' | 'isDefault'>;
export type NewRule = RuleShape & { readonly id: string; readonly description: string };
export type GroupChange = Partial<Pick<SecurityGroup, 'name' | 'description' | 'stateful'>>;

export class SecurityGroupRepo {
  async find(on: Sql, id: string): Promise<SecurityGroup | undefined> {
    const [group] = await this.findMany(on, [id]);
    return group;
  }

  async findMany(on: Sql, ids: readonly string[]): Promise<SecurityGroup[]> {
    if (ids.length === 0) return [];
    return this.withRules(
      on,
      await on.query<Row>('select g.* from security_group g where g.id = any($1::uuid[])', [ids]),
    );
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<SecurityGroup>> {
    const { text, params } = listSql(LIST, request, (bind) =>
      scope === 'all' ? 'true' : `g.project_id = ${bind(scope.projectId)}`,
    );
    return pageOf(await this.withRules(on, await on.query<Row>(text, params)), request);
  }

  async defaultOf(on: Sql, projectId: string): Promise<string | undefined> {
    const row = await on.one<{ id: string }>(
      { name: 'group-default-of', text: 'select id from security_group where project_id = $1 and is_default' },
      [projectId],
    );
    return row?.id;
  }

  /** Id, name and project of groups, without their rules. */
  async names(
    on: Sql,
    ids: readonly string[],
  ): Promise<{ readonly id: string; readonly name: string; readonly projectId: string }[]> {
    return on.query(
      {
        name: 'group-names',
        text: 'select id, name, project_id as "projectId" from security_group where id = any($1::uuid[])',
      },
      [ids],
    );
  }

  /** Groups of a project that have one of the names, or one of the ids. */
  async resolve(
    on: Sql,
    projectId: string,
    namesOrIds: readonly string[],
  ): Promise<{ readonly id: string; readonly name: string }[]> {
    return on.query(
      'select id, name from security_group where project_id = $1 and (name = any($2::text[]) or id::text = any($2::text[]))',
      [projectId, namesOrIds],
    );
  }

  /** False where the project has a default group already and this would be another. */
  async insert(tx: Tx, group: NewGroup, rules: readonly NewRule[], now: Date): Promise<boolean> {
    const done = await tx.exec(
      `insert into security_group (id, project_id, name, description, stateful, is_default, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (project_id) where is_default do nothing`,
      [group.id, group.projectId, group.name, group.description, group.stateful, group.isDefault, now],
    );
    if (done === 0) return false;
    for (const rule of rules) await this.insertRule(tx, group.id, group.projectId, rule, now);
    return true;
  }

  /** False where the group has the same rule already. */
  async insertRule(tx: Tx, groupId: string, projectId: string, rule: NewRule, now: Date): Promise<boolean> {
    const done = await tx.exec(
      {
        name: 'rule-insert',
        text: `insert into security_group_rule (id, group_id, project_id, description, direction, ethertype, protocol,
            protocol_number, port_min, port_max, remote_prefix, normalized_prefix, remote_group_id, created_at, updated_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
          on conflict on constraint security_group_rule_once do nothing`,
      },
      [
        rule.id,
        groupId,
        projectId,
        rule.description,
        rule.direction,
        rule.ethertype,
        rule.protocol,
        protocolNumber(rule.protocol),
        rule.portMin,
        rule.portMax,
        rule.remotePrefix,
        normalizedPrefix(rule),
        rule.remoteGroupId,
        now,
      ],
    );
    return done === 1;
  }

  /** A rule was added or taken away: what a client sees of the group has changed. */
  async touch(tx: Tx, ids: readonly string[], now: Date): Promise<void> {
    await tx.exec('update security_group set revision = revision + 1, updated_at = $2 where id = any($1::uuid[])', [
      ids,
      now,
    ]);
  }

  async update(tx: Tx, id: string, change: GroupChange, now: Date): Promise<boolean> {
    const done = await tx.exec(
      `update security_group set name = coalesce($2, name), description = coalesce($3, description),
         stateful = coalesce($4, stateful), revision = revision + 1, updated_at = $5 where id = $1`,
      [id, change.name, change.description, change.stateful, now],
    );
    return done === 1;
  }

  async isUsed(on: Sql, id: string): Promise<boolean> {
    return (await on.one('select 1 from port_security_group where group_id = $1 limit 1', [id])) !== undefined;
  }

  /**
   * Deletes the group, its rules, and the rules of other groups that name it; gives the project of each rule that went
   * and the other groups. A port in the group makes it a violation, to be caught outside the transaction.
   */
  async delete(tx: Tx, id: string): Promise<{ readonly rulesOf: string[]; readonly otherGroups: string[] }> {
    const rules = await tx.query<{ group_id: string; project_id: string }>(
      'delete from security_group_rule where group_id = $1 or remote_group_id = $1 returning group_id, project_id',
      [id],
    );
    await tx.exec('delete from security_group where id = $1', [id]);
    const others = rules.map((rule) => rule.group_id).filter((group) => group !== id);
    return { rulesOf: rules.map((rule) => rule.project_id), otherGroups: [...new Set(others)].sort() };
  }

  private async withRules(on: Sql, rows: readonly Row[]): Promise<SecurityGroup[]> {
    const rules = await on.query<RuleRow>(
      {
        name: 'rules-of-groups',
        text: `select ${RULE_SELECT} from security_group_rule r where r.group_id = any($1::uuid[]) order by r.created_at, r.id`,
      },
      [rows.map((row) => row.id)],
    );
    const byGroup = Map.groupBy(rules.map(toRule), (rule) => rule.groupId);
    return rows.map((row) => toGroup(row, byGroup.get(row.id) ?? []));
  }
}

export const isGroupStillUsed = (error: unknown): boolean =>
  isViolation(error, 'foreignKey', 'port_security_group_in_use');
export const isRemoteGroupGone = (error: unknown): boolean =>
  isViolation(error, 'foreignKey', 'security_group_rule_remote_group_id_fkey') ||
  isViolation(error, 'foreignKey', 'security_group_rule_group_id_fkey');
