/** Security groups with their rules. A project has one default group at most; each rule stands in a group once. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { SecurityGroup, SecurityGroupRule, Targets } from '#services/network/domain';
import {
  byBoolean,
  byInteger,
  byTags,
  byText,
  byUuid,
  type Filter,
  type ListRequest,
  type ListSpec,
  listSql,
  ownOrShared,
  type Page,
  pageOf,
  type Scope,
  sharedSql,
  since,
  targetsSql,
} from './listing.js';
import { RULE_SELECT, type RuleRow, toRule } from './security-group-rule.repo.js';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly shared_with: readonly string[];
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
  sharedWith: row.shared_with,
  stateful: row.stateful,
  isDefault: row.is_default,
  rules,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const SELECT = `g.*, ${targetsSql('g', 'access_as_shared')} as shared_with`;

const LIST: ListSpec = {
  select: SELECT,
  from: 'security_group g',
  id: 'g.id',
  filters: {
    id: byUuid('g.id'),
    name: byText('g.name'),
    project_id: byText('g.project_id'),
    tenant_id: byText('g.project_id'),
    description: byText('g.description'),
    stateful: byBoolean('g.stateful'),
    // What a caller sees as shared depends on who asks: `list` puts the caller's own condition here.
    shared: byBoolean('false'),
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
export type GroupName = Pick<SecurityGroup, 'id' | 'name' | 'projectId' | 'isDefault' | 'stateful'> & {
  readonly sharedWith: Targets;
};
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
      await on.query<Row>(`select ${SELECT} from security_group g where g.id = any($1::uuid[])`, [ids]),
    );
  }

  /** `projectId` is the caller's, whatever its scope: with it a group is shared or not. */
  async list(on: Sql, request: ListRequest, scope: Scope, projectId = ''): Promise<Page<SecurityGroup>> {
    const shared: Filter = (values, bind) =>
      byBoolean(sharedSql('g', bind(projectId), 'access_as_shared'))(values, bind);
    const spec = { ...LIST, filters: { ...LIST.filters, shared } };
    const { text, params } = listSql(spec, request, ownOrShared('g', scope, 'access_as_shared'));
    return pageOf(await this.withRules(on, await on.query<Row>(text, params)), request);
  }

  async defaultOf(on: Sql, projectId: string): Promise<string | undefined> {
    const row = await on.one<{ id: string }>(
      { name: 'group-default-of', text: 'select id from security_group where project_id = $1 and is_default' },
      [projectId],
    );
    return row?.id;
  }

  /** What others need to know of groups, without their rules. */
  async names(on: Sql, ids: readonly string[]): Promise<GroupName[]> {
    return on.query(
      {
        name: 'group-names',
        text: `select g.id, g.name, g.project_id as "projectId", g.is_default as "isDefault", g.stateful,
            ${targetsSql('g', 'access_as_shared')} as "sharedWith"
          from security_group g where g.id = any($1::uuid[])`,
      },
      [ids],
    );
  }

  /** Groups of a project that have one of the names, or one of the ids; those shared with it by their ids alone. */
  async resolve(
    on: Sql,
    projectId: string,
    namesOrIds: readonly string[],
  ): Promise<{ readonly id: string; readonly name: string }[]> {
    return on.query(
      `select id, name from security_group g
       where (project_id = $1 and name = any($2::text[]))
         or (id::text = any($2::text[]) and (project_id = $1 or ${sharedSql('g', '$1', 'access_as_shared')}))`,
      [projectId, namesOrIds],
    );
  }

  /** False where the project has a default group already and this would be another. */
  async insert(tx: Tx, group: NewGroup, now: Date): Promise<boolean> {
    const done = await tx.exec(
      {
        name: 'group-insert',
        text: `insert into security_group (id, project_id, name, description, stateful, is_default, created_at, updated_at)
          values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (project_id) where is_default do nothing`,
      },
      [group.id, group.projectId, group.name, group.description, group.stateful, group.isDefault, now],
    );
    return done === 1;
  }

  /**
   * A rule was added or taken away: what a client sees of the groups has changed. Several are locked in order first, by a
   * statement of its own: one that locks and updates would wait for itself when the row changes in between.
   */
  async touch(tx: Tx, ids: readonly string[], now: Date): Promise<void> {
    if (ids.length > 1)
      await tx.exec('select 1 from security_group where id = any($1::uuid[]) order by id for no key update', [ids]);
    await tx.exec(
      {
        name: 'group-touch',
        text: 'update security_group set revision = revision + 1, updated_at = $2 where id = any($1::uuid[])',
      },
      [ids, now],
    );
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
    // In order, so that two groups whose rules name each other can go at the same time.
    await tx.exec(
      'select 1 from security_group_rule where group_id = $1 or remote_group_id = $1 order by id for update',
      [id],
    );
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
