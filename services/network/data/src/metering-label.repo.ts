/** Metering labels. Their rules go with them. */
import type { Sql } from '#libs/platform/db';
import type { MeteringLabel } from '#services/network/domain';
import { byBoolean, byText, byUuid, type ListRequest, type ListSpec, listSql, type Page, pageOf } from './listing.js';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly shared: boolean;
}

const toLabel = (row: Row): MeteringLabel => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  shared: row.shared,
});

const LIST: ListSpec = {
  select: 'm.*',
  from: 'metering_label m',
  id: 'm.id',
  filters: {
    id: byUuid('m.id'),
    name: byText('m.name'),
    description: byText('m.description'),
    project_id: byText('m.project_id'),
    tenant_id: byText('m.project_id'),
    shared: byBoolean('m.shared'),
  },
  sortable: {
    id: 'm.id',
    name: 'm.name',
    description: 'm.description',
    project_id: 'm.project_id',
    tenant_id: 'm.project_id',
    shared: 'm.shared',
    created_at: 'm.created_at',
  },
};
export const METERING_LABEL_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export class MeteringLabelRepo {
  async find(on: Sql, id: string): Promise<MeteringLabel | undefined> {
    const row = await on.one<Row>('select m.* from metering_label m where m.id = $1', [id]);
    return row && toLabel(row);
  }

  async list(on: Sql, request: ListRequest): Promise<Page<MeteringLabel>> {
    const { text, params } = listSql(LIST, request, () => 'true');
    return pageOf((await on.query<Row>(text, params)).map(toLabel), request);
  }

  async insert(on: Sql, label: MeteringLabel, now: Date): Promise<void> {
    await on.exec(
      'insert into metering_label (id, project_id, name, description, shared, created_at) values ($1, $2, $3, $4, $5, $6)',
      [label.id, label.projectId, label.name, label.description, label.shared, now],
    );
  }

  async delete(on: Sql, id: string): Promise<boolean> {
    return (await on.exec('delete from metering_label where id = $1', [id])) === 1;
  }
}
