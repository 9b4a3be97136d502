/** Rules on their own, as clients list and delete them. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import {
  addressGroupNotFound,
  type Direction,
  type Ethertype,
  groupNotFound,
  matchedPrefix,
  protocolNumber,
  type RuleShape,
  type SecurityGroupRule,
} from '#services/network/domain';
import {
  byBoolean,
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
  readonly remote_address_group_id: string | null;
  readonly of_default: boolean;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const OF_DEFAULT = '(select g.is_default from security_group g where g.id = r.group_id)';
export const RULE_SELECT = `r.id, r.group_id, r.project_id, r.description, r.direction, r.ethertype, r.protocol, r.port_min,
  r.port_max, r.remote_prefix, r.remote_group_id, r.remote_address_group_id, ${OF_DEFAULT} as of_default, r.tags, r.revision,
  r.created_at, r.updated_at`;

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
  remoteAddressGroupId: row.remote_address_group_id,
  ofDefaultGroup: row.of_default,
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
    remote_address_group_id: byUuid('r.remote_address_group_id'),
    belongs_to_default_sg: byBoolean(OF_DEFAULT),
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
    protocol: "coalesce(r.protocol, '')",
    port_range_min: 'coalesce(r.port_min, -1)',
    port_range_max: 'coalesce(r.port_max, -1)',
    remote_ip_prefix: "coalesce(r.remote_prefix, '')",
    created_at: 'r.created_at',
    updated_at: 'r.updated_at',
  },
};
export const RULE_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export interface RuleDraft extends RuleShape {
  readonly id: string;
  readonly groupId: string;
  readonly projectId: string;
  readonly description: string;
  readonly ofDefaultGroup: boolean;
}

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

  /** Inserts those that no rule of their group says already; gives their ids. */
  async insert(tx: Tx, rules: readonly RuleDraft[], now: Date): Promise<ReadonlySet<string>> {
    const rows = await tx.query<{ id: string }>(
      {
        name: 'rules-insert',
        text: `insert into security_group_rule (id, group_id, project_id, description, direction, ethertype, protocol,
            protocol_number, port_min, port_max, remote_prefix, matched_prefix, remote_group_id, remote_address_group_id,
            created_at, updated_at)
          select id, group_id, project_id, description, direction, ethertype, protocol, protocol_number, port_min, port_max,
            remote_prefix, matched_prefix, remote_group_id, remote_address_group_id, $2, $2
          from jsonb_to_recordset($1::jsonb) as d(id uuid, group_id uuid, project_id text, description text, direction text,
            ethertype text, protocol text, protocol_number smallint, port_min integer, port_max integer, remote_prefix text,
            matched_prefix cidr, remote_group_id uuid, remote_address_group_id uuid)
          on conflict on constraint security_group_rule_once do nothing returning id`,
      },
      [JSON.stringify(rules.map(columnsOf)), now],
    );
    return new Set(rows.map((row) => row.id));
  }

  /** The rule of a group that says the same. */
  async findSame(on: Sql, groupId: string, rule: RuleShape): Promise<string | undefined> {
    const row = await on.one<{ id: string }>(
      `select id from security_group_rule where group_id = $1 and direction = $2 and ethertype = $3
         and protocol_number is not distinct from $4 and port_min is not distinct from $5 and port_max is not distinct from $6
         and matched_prefix is not distinct from $7::cidr and remote_group_id is not distinct from $8
         and remote_address_group_id is not distinct from $9`,
      [
        groupId,
        rule.direction,
        rule.ethertype,
        protocolNumber(rule.protocol),
        rule.portMin,
        rule.portMax,
        matchedPrefix(rule),
        rule.remoteGroupId,
        rule.remoteAddressGroupId,
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

const columnsOf = (rule: RuleDraft) => ({
  id: rule.id,
  group_id: rule.groupId,
  project_id: rule.projectId,
  description: rule.description,
  direction: rule.direction,
  ethertype: rule.ethertype,
  protocol: rule.protocol,
  protocol_number: protocolNumber(rule.protocol),
  port_min: rule.portMin,
  port_max: rule.portMax,
  remote_prefix: rule.remotePrefix,
  matched_prefix: matchedPrefix(rule),
  remote_group_id: rule.remoteGroupId,
  remote_address_group_id: rule.remoteAddressGroupId,
});

/** The failure for what the database refused while the rule was written. To be used outside the transaction. */
export function ruleWriteFailure(error: unknown, draft: RuleDraft | undefined): unknown {
  if (!draft) return error;
  if (isViolation(error, 'foreignKey', 'security_group_rule_group_id_fkey')) return groupNotFound(draft.groupId);
  if (isViolation(error, 'foreignKey', 'security_group_rule_remote_group_id_fkey'))
    return groupNotFound(draft.remoteGroupId ?? draft.groupId);
  if (isViolation(error, 'foreignKey', 'security_group_rule_address_group'))
    return addressGroupNotFound(draft.remoteAddressGroupId ?? '');
  return error;
}
