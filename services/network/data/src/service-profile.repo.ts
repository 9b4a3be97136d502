/** Profiles of flavors. One that a flavor has stays as it is. */
import { isViolation, type Sql } from '#libs/platform/db';
import { profileInUse, type ServiceProfile } from '#services/network/domain';
import { byBoolean, byText, byUuid, type ListRequest, type ListSpec, listSql, type Page, pageOf } from './listing.js';

const SELECT = 'p.id, p.description, p.driver, p.metainfo, p.enabled';

const LIST: ListSpec = {
  select: SELECT,
  from: 'service_profile p',
  id: 'p.id',
  filters: {
    id: byUuid('p.id'),
    description: byText('p.description'),
    driver: byText('p.driver'),
    metainfo: byText('p.metainfo'),
    enabled: byBoolean('p.enabled'),
  },
  sortable: {
    id: 'p.id',
    description: 'p.description',
    driver: 'p.driver',
    metainfo: 'p.metainfo',
    enabled: 'p.enabled',
    created_at: 'p.created_at',
  },
};
export const SERVICE_PROFILE_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export class ServiceProfileRepo {
  find(on: Sql, id: string): Promise<ServiceProfile | undefined> {
    return on.one<ServiceProfile>(`select ${SELECT} from service_profile p where p.id = $1`, [id]);
  }

  async list(on: Sql, request: ListRequest): Promise<Page<ServiceProfile>> {
    const { text, params } = listSql(LIST, request, () => 'true');
    return pageOf(await on.query<ServiceProfile>(text, params), request);
  }

  async insert(on: Sql, profile: ServiceProfile, now: Date): Promise<void> {
    await on.exec(
      'insert into service_profile (id, description, driver, metainfo, enabled, created_at) values ($1, $2, $3, $4, $5, $6)',
      [profile.id, profile.description, profile.driver, profile.metainfo, profile.enabled, now],
    );
  }

  /** Throws `ServiceProfileInUse` while a flavor has it. */
  async update(on: Sql, { id, description, driver, metainfo, enabled }: ServiceProfile): Promise<void> {
    const changed = await on.exec(
      `update service_profile p set description = $2, driver = $3, metainfo = $4, enabled = $5
       where p.id = $1 and not exists (select 1 from flavor_service_profile b where b.profile_id = p.id)`,
      [id, description, driver, metainfo, enabled],
    );
    if (changed === 0) throw profileInUse(id);
  }

  async delete(on: Sql, id: string): Promise<void> {
    try {
      await on.exec('delete from service_profile where id = $1', [id]);
    } catch (error) {
      throw isViolation(error, 'foreignKey', 'flavor_service_profile_profile') ? profileInUse(id) : error;
    }
  }
}
