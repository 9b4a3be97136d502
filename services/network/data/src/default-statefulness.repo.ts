/** Whether new groups keep connections where nobody says. One setting for each project, and one for all others. */
import type { Sql } from '#libs/platform/db';
import type { DefaultStatefulness } from '#services/network/domain';
import {
  byBoolean,
  byNullableText,
  byUuid,
  type ListRequest,
  type ListSpec,
  listSql,
  type Page,
  pageOf,
  type Scope,
} from './listing.js';

interface Row {
  readonly id: string;
  readonly project_id: string | null;
  readonly stateful: boolean;
}

const toSetting = (row: Row): DefaultStatefulness => ({
  id: row.id,
  projectId: row.project_id,
  stateful: row.stateful,
});

const LIST: ListSpec = {
  select: 's.*',
  from: 'default_statefulness s',
  id: 's.id',
  filters: {
    id: byUuid('s.id'),
    project_id: byNullableText('s.project_id'),
    tenant_id: byNullableText('s.project_id'),
    stateful: byBoolean('s.stateful'),
  },
  sortable: {
    id: 's.id',
    project_id: "coalesce(s.project_id, '')",
    stateful: 's.stateful',
    created_at: 's.created_at',
  },
};
export const DEFAULT_STATEFULNESS_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export class DefaultStatefulnessRepo {
  async find(on: Sql, id: string): Promise<DefaultStatefulness | undefined> {
    const row = await on.one<Row>('select s.* from default_statefulness s where s.id = $1', [id]);
    return row && toSetting(row);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<DefaultStatefulness>> {
    const { text, params } = listSql(LIST, request, (bind) =>
      scope === 'all' ? 'true' : `s.project_id = ${bind(scope.projectId)}`,
    );
    return pageOf((await on.query<Row>(text, params)).map(toSetting), request);
  }

  /** What holds for a project: its own setting before the one for all. */
  async of(on: Sql, projectId: string): Promise<boolean> {
    const row = await on.one<{ stateful: boolean }>(
      `select stateful from default_statefulness where project_id = $1 or project_id is null
       order by project_id nulls last limit 1`,
      [projectId],
    );
    return row?.stateful ?? true;
  }

  /** False where the project, or all of them, have a setting already. */
  async insert(on: Sql, setting: DefaultStatefulness, now: Date): Promise<boolean> {
    const done = await on.exec(
      `insert into default_statefulness (id, project_id, stateful, created_at) values ($1, $2, $3, $4)
       on conflict on constraint default_statefulness_once do nothing`,
      [setting.id, setting.projectId, setting.stateful, now],
    );
    return done === 1;
  }

  async update(on: Sql, id: string, stateful: boolean): Promise<boolean> {
    return (await on.exec('update default_statefulness set stateful = $2 where id = $1', [id, stateful])) === 1;
  }

  async delete(on: Sql, id: string): Promise<boolean> {
    return (await on.exec('delete from default_statefulness where id = $1', [id])) === 1;
  }
}
