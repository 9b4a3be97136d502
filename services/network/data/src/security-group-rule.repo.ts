/** Rules on their own, as clients list and delete them. */
import type { Sql, Tx } from '#libs/platform/db';
import type { Direction, Ethertype, RuleShape, SecurityGroupRule } from '#services/network/domain';
import { normalizedPrefix, protocolNumber } from '#services/network/domain';
import {
  byInteger,
  byNullableText,
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

export interface RuleRow {
  readonly id: string;
  readonly group_id: string;
  readonly project_id: string;
  readonly description: string;
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  readonly protocol: string | null;
  readonly port_min: number | null;
  readonly port_max: number | null;
  readonly remote_prefix: string | null;
  readonly remote_group_id: string | null;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const RULE_SELECT = `r.id, r.group_id, r.project_id, r.description, r.direction, r.ethertype, r.protocol, r.port_min,
  r.port_max, r.remote_prefix, r.remote_group_id, r.tags, r.revision, r.created_at, r.updated_at`;

export const toRule = (row: RuleRow): SecurityGroupRule => ({
  id: row.id,
  groupId: row.group_id,
  projectId: row.project_id,
  description: row.description,
  direction: row.direction,
  ethertype: row.ethertype,
  protocol: row.protocol,
  portMin: row.port_min,
  portMax: row.port_max,
  remotePrefix: row.remote_prefix,
  remoteGroupId: row.remote_group_id,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: RULE_SELECT,
  from: 'security_group_rule r',
  id: 'r.id',
  filters: {
    id: byUuid('r.id'),
    security_group_id: byUuid('r.group_id'),
    project_id: byText('r.project_id'),
    tenant_id: byText('r.project_id'),
    description: byText('r.description'),
    direction: byText('r.direction'),
    ethertype: byText('r.ethertype'),
    protocol: byNullableText('r.protocol'),
    port_range_min: byInteger('r.port_min'),
    port_range_max: byInteger('r.port_max'),
    remote_ip_prefix: byNullableText('r.remote_prefix'),
    remote_group_id: byUuid('r.remote_group_id'),
    revision_number: byInteger('r.revision'),
    changed_since: since('r.updated_at'),
    ...byTags('r.tags'),
  },
  sortable: {
    id: 'r.id',
    security_group_id: 'r.group_id',
    project_id: 'r.project_id',
    tenant_id: 'r.project_id',
    direction: 'r.direction',
    ethertype: 'r.ethertype',
    created_at: 'r.created_at',
    updated_at: 'r.updated_at',
  },
};
export const RULE_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export class SecurityGroupRuleRepo {
  async find(on: Sql, id: string): Promise<SecurityGroupRule | undefined> {
    const row = await on.one<RuleRow>(`select ${RULE_SELECT} from security_group_rule r where r.id = $1`, [id]);
    return row && toRule(row);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<SecurityGroupRule>> {
    const { text, params } = listSql(LIST, request, (bind) =>
      scope === 'all' ? 'true' : `r.project_id = ${bind(scope.projectId)}`,
    );
    return pageOf((await on.query<RuleRow>(text, params)).map(toRule), request);
  }

  /** The rule of a group that says the same. */
  async findSame(on: Sql, groupId: string, rule: RuleShape): Promise<string | undefined> {
    const row = await on.one<{ id: string }>(
      `select id from security_group_rule where group_id = $1 and direction = $2 and ethertype = $3
         and protocol_number is not distinct from $4 and port_min is not distinct from $5 and port_max is not distinct from $6
         and normalized_prefix is not distinct from $7::cidr and remote_group_id is not distinct from $8`,
      [
        groupId,
        rule.direction,
        rule.ethertype,
        protocolNumber(rule.protocol),
        rule.portMin,
        rule.portMax,
        normalizedPrefix(rule),
        rule.remoteGroupId,
      ],
    );
    return row?.id;
  }

  async delete(tx: Tx, id: string): Promise<{ readonly groupId: string; readonly projectId: string } | undefined> {
    return tx.one(
      'delete from security_group_rule where id = $1 returning group_id as "groupId", project_id as "projectId"',
      [id],
    );
  }
}
