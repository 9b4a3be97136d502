/** Flavors, with the profiles that they are of in the order in which these were added. */
import { isViolation, type Sql } from '#libs/platform/db';
import { type Flavor, flavorInUse, profileBound, profileNotFound } from '#services/network/domain';
import { byBoolean, byText, byUuid, type ListRequest, type ListSpec, listSql, type Page, pageOf } from './listing.js';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly service_type: string;
  readonly enabled: boolean;
  readonly profile_ids: readonly string[];
}

const SELECT = `f.*, array(select b.profile_id::text from flavor_service_profile b
  where b.flavor_id = f.id order by b.ordinal) as profile_ids`;

const toFlavor = (row: Row): Flavor => ({
  id: row.id,
  name: row.name,
  description: row.description,
  serviceType: row.service_type,
  enabled: row.enabled,
  profileIds: row.profile_ids,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'flavor f',
  id: 'f.id',
  filters: {
    id: byUuid('f.id'),
    name: byText('f.name'),
    description: byText('f.description'),
    service_type: byText('f.service_type'),
    enabled: byBoolean('f.enabled'),
    service_profiles: (values, bind) =>
      `f.id in (select b.flavor_id from flavor_service_profile b where ${byUuid('b.profile_id')(values, bind)})`,
  },
  sortable: {
    id: 'f.id',
    name: 'f.name',
    description: 'f.description',
    service_type: 'f.service_type',
    enabled: 'f.enabled',
    created_at: 'f.created_at',
  },
};
export const FLAVOR_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

type Changeable = Pick<Flavor, 'name' | 'description' | 'enabled'>;
export type FlavorChange = { readonly [K in keyof Changeable]?: Changeable[K] | undefined };

export class FlavorRepo {
  async find(on: Sql, id: string): Promise<Flavor | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from flavor f where f.id = $1`, [id]);
    return row && toFlavor(row);
  }

  async list(on: Sql, request: ListRequest): Promise<Page<Flavor>> {
    const { text, params } = listSql(LIST, request, () => 'true');
    return pageOf((await on.query<Row>(text, params)).map(toFlavor), request);
  }

  async insert(on: Sql, flavor: Flavor, now: Date): Promise<void> {
    await on.exec(
      'insert into flavor (id, name, description, service_type, enabled, created_at) values ($1, $2, $3, $4, $5, $6)',
      [flavor.id, flavor.name, flavor.description, flavor.serviceType, flavor.enabled, now],
    );
  }

  async update(on: Sql, id: string, change: FlavorChange): Promise<void> {
    await on.exec(
      `update flavor set name = coalesce($2, name), description = coalesce($3, description),
         enabled = coalesce($4, enabled) where id = $1`,
      [id, change.name, change.description, change.enabled],
    );
  }

  /** Throws `FlavorInUse` while there is a router of it. */
  async delete(on: Sql, id: string): Promise<void> {
    try {
      await on.exec('delete from flavor where id = $1', [id]);
    } catch (error) {
      throw isViolation(error, 'foreignKey', 'router_flavor') ? flavorInUse(id) : error;
    }
  }

  /** Throws where the flavor has the profile already, or where that is gone. */
  async bind(on: Sql, flavorId: string, profileId: string): Promise<void> {
    try {
      await on.exec('insert into flavor_service_profile (flavor_id, profile_id) values ($1, $2)', [
        flavorId,
        profileId,
      ]);
    } catch (error) {
      if (isViolation(error, 'unique', 'flavor_service_profile_once')) throw profileBound(profileId, flavorId);
      throw isViolation(error, 'foreignKey', 'flavor_service_profile_profile') ? profileNotFound(profileId) : error;
    }
  }

  /** False where the flavor does not have the profile. */
  async unbind(on: Sql, flavorId: string, profileId: string): Promise<boolean> {
    const text = 'delete from flavor_service_profile where flavor_id = $1 and profile_id = $2';
    return (await on.exec(text, [flavorId, profileId])) === 1;
  }
}

/** The flavor that a router was to be of went meanwhile. */
export const isFlavorGone = (error: unknown): boolean => isViolation(error, 'foreignKey', 'router_flavor');
