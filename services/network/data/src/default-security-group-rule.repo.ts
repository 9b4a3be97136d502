/** Templates of the rules that new groups begin with. The same is said once for default groups, and once for others. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import {
  addressGroupNotFound,
  type DefaultSecurityGroupRule,
  type Direction,
  type Ethertype,
  groupNotFound,
  matchedPrefix,
  PARENT,
  protocolNumber,
  type RuleTemplate,
} from '#services/network/domain';
import {
  byBoolean,
  byInteger,
  byNullableText,
  byText,
  byUuid,
  type ListRequest,
  type ListSpec,
  listSql,
  type Page,
  pageOf,
} from './listing.js';

interface Row {
  readonly id: string;
  readonly description: string;
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  readonly protocol: string | null;
  readonly port_min: number | null;
  readonly port_max: number | null;
  readonly remote_prefix: string | null;
  readonly remote_parent: boolean;
  readonly remote_group_id: string | null;
  readonly remote_address_group_id: string | null;
  readonly in_default: boolean;
  readonly in_others: boolean;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const toDefaultRule = (row: Row): DefaultSecurityGroupRule => ({
  id: row.id,
  description: row.description,
  direction: row.direction,
  ethertype: row.ethertype,
  protocol: row.protocol,
  portMin: row.port_min,
  portMax: row.port_max,
  remotePrefix: row.remote_prefix,
  remoteGroupId: row.remote_parent ? PARENT : row.remote_group_id,
  remoteAddressGroupId: row.remote_address_group_id,
  inDefault: row.in_default,
  inOthers: row.in_others,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const REMOTE_GROUP = `case when d.remote_parent then '${PARENT}' else coalesce(d.remote_group_id::text, '') end`;

const LIST: ListSpec = {
  select: 'd.*',
  from: 'default_security_group_rule d',
  id: 'd.id',
  filters: {
    id: byUuid('d.id'),
    description: byText('d.description'),
    direction: byText('d.direction'),
    ethertype: byText('d.ethertype'),
    protocol: byNullableText('d.protocol'),
    port_range_min: byInteger('d.port_min'),
    port_range_max: byInteger('d.port_max'),
    remote_ip_prefix: byNullableText('d.remote_prefix'),
    remote_group_id: byText(REMOTE_GROUP),
    remote_address_group_id: byUuid('d.remote_address_group_id'),
    used_in_default_sg: byBoolean('d.in_default'),
    used_in_non_default_sg: byBoolean('d.in_others'),
    revision_number: byInteger('d.revision'),
  },
  sortable: {
    id: 'd.id',
    direction: 'd.direction',
    ethertype: 'd.ethertype',
    protocol: "coalesce(d.protocol, '')",
    remote_group_id: REMOTE_GROUP,
    created_at: 'd.created_at',
    updated_at: 'd.updated_at',
  },
};
export const DEFAULT_RULE_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type DefaultRuleDraft = RuleTemplate & Pick<DefaultSecurityGroupRule, 'id' | 'description'>;

export class DefaultSecurityGroupRuleRepo {
  async find(on: Sql, id: string): Promise<DefaultSecurityGroupRule | undefined> {
    const row = await on.one<Row>('select d.* from default_security_group_rule d where d.id = $1', [id]);
    return row && toDefaultRule(row);
  }

  async list(on: Sql, request: ListRequest): Promise<Page<DefaultSecurityGroupRule>> {
    const { text, params } = listSql(LIST, request, () => 'true');
    return pageOf((await on.query<Row>(text, params)).map(toDefaultRule), request);
  }

  /** All templates, oldest first. */
  async all(on: Sql): Promise<DefaultSecurityGroupRule[]> {
    const rows = await on.query<Row>({
      name: 'default-rules-all',
      text: 'select d.* from default_security_group_rule d order by d.created_at, d.direction, d.ethertype, d.id',
    });
    return rows.map(toDefaultRule);
  }

  /** False where the same is said already for a kind of groups that this is for. */
  async insert(tx: Tx, rule: DefaultRuleDraft, now: Date): Promise<boolean> {
    const parent = rule.remoteGroupId === PARENT;
    const done = await tx.exec(
      `insert into default_security_group_rule (id, description, direction, ethertype, protocol, protocol_number, port_min,
         port_max, remote_prefix, matched_prefix, remote_parent, remote_group_id, remote_address_group_id, in_default,
         in_others, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16) on conflict do nothing`,
      [
        rule.id,
        rule.description,
        rule.direction,
        rule.ethertype,
        rule.protocol,
        protocolNumber(rule.protocol),
        rule.portMin,
        rule.portMax,
        rule.remotePrefix,
        matchedPrefix(rule),
        parent,
        parent ? null : rule.remoteGroupId,
        rule.remoteAddressGroupId,
        rule.inDefault,
        rule.inOthers,
        now,
      ],
    );
    return done === 1;
  }

  async delete(tx: Tx, id: string): Promise<boolean> {
    return (await tx.exec('delete from default_security_group_rule where id = $1', [id])) === 1;
  }
}

/** The failure for what the database refused while a template was written. To be used outside the transaction. */
export function defaultRuleWriteFailure(error: unknown, draft: DefaultRuleDraft): unknown {
  if (isViolation(error, 'foreignKey', 'default_security_group_rule_remote_group_id_fkey'))
    return groupNotFound(draft.remoteGroupId ?? '');
  if (isViolation(error, 'foreignKey', 'default_security_group_rule_address_group'))
    return addressGroupNotFound(draft.remoteAddressGroupId ?? '');
  return error;
}
