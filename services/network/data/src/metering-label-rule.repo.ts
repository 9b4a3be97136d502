/** Rules of metering labels. That what one label counts by them does not overlap is the database's to keep. */
import { isViolation, type Sql } from '#libs/platform/db';
import {
  type Direction,
  type MeteringLabelRule,
  meteringLabelNotFound,
  meteringRuleOverlaps,
} from '#services/network/domain';
import {
  byBoolean,
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
  readonly label_id: string;
  readonly direction: Direction;
  readonly excluded: boolean;
  readonly remote: string | null;
  readonly source: string | null;
  readonly destination: string | null;
}

const SELECT = `m.id, m.label_id, m.direction, m.excluded, m.remote_prefix::text as remote,
  m.source_prefix::text as source, m.destination_prefix::text as destination`;

const toRule = (row: Row): MeteringLabelRule => ({
  id: row.id,
  labelId: row.label_id,
  direction: row.direction,
  excluded: row.excluded,
  remotePrefix: row.remote,
  sourcePrefix: row.source,
  destinationPrefix: row.destination,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'metering_label_rule m',
  id: 'm.id',
  filters: {
    id: byUuid('m.id'),
    metering_label_id: byUuid('m.label_id'),
    direction: byText('m.direction'),
    excluded: byBoolean('m.excluded'),
    remote_ip_prefix: byNullableText('m.remote_prefix::text'),
    source_ip_prefix: byNullableText('m.source_prefix::text'),
    destination_ip_prefix: byNullableText('m.destination_prefix::text'),
  },
  sortable: {
    id: 'm.id',
    metering_label_id: 'm.label_id',
    direction: 'm.direction',
    excluded: 'm.excluded',
    created_at: 'm.created_at',
  },
};
export const METERING_RULE_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export class MeteringLabelRuleRepo {
  async find(on: Sql, id: string): Promise<MeteringLabelRule | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from metering_label_rule m where m.id = $1`, [id]);
    return row && toRule(row);
  }

  async list(on: Sql, request: ListRequest): Promise<Page<MeteringLabelRule>> {
    const { text, params } = listSql(LIST, request, () => 'true');
    return pageOf((await on.query<Row>(text, params)).map(toRule), request);
  }

  async insert(on: Sql, rule: MeteringLabelRule, now: Date): Promise<void> {
    try {
      await on.exec(
        `insert into metering_label_rule (id, label_id, direction, excluded, remote_prefix, source_prefix,
           destination_prefix, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          rule.id,
          rule.labelId,
          rule.direction,
          rule.excluded,
          rule.remotePrefix,
          rule.sourcePrefix,
          rule.destinationPrefix,
          now,
        ],
      );
    } catch (error) {
      if (isViolation(error, 'exclusion', 'metering_label_rule_overlap'))
        throw meteringRuleOverlaps(rule.remotePrefix ?? '');
      throw isViolation(error, 'foreignKey', 'metering_label_rule_label') ? meteringLabelNotFound(rule.labelId) : error;
    }
  }

  async delete(on: Sql, id: string): Promise<boolean> {
    return (await on.exec('delete from metering_label_rule where id = $1', [id])) === 1;
  }
}
