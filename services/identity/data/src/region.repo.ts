import { fail } from '#libs/kernel';
import { type Db, isUnique, isViolation } from '#libs/platform/db';
import type { Extra, Region } from '#services/identity/domain';
import { type Filter, json, setClause, Where } from './filter.js';

interface RegionRow {
  id: string;
  description: string;
  parent_region_id: string | null;
  extra: Extra;
}

const COLUMNS = 'id, description, parent_region_id, extra';

const regionOf = (row: RegionRow): Region => ({
  id: row.id,
  description: row.description,
  parentRegionId: row.parent_region_id ?? undefined,
  extra: row.extra,
});

const noRegion = (id: string) => fail.notFound(`Could not find region: ${id}.`);

/** `null` takes the parent away. */
export interface RegionPatch {
  readonly description?: string | undefined;
  readonly parentRegionId?: string | null | undefined;
  readonly extra?: Extra | undefined;
}

export class Regions {
  constructor(private readonly db: Db) {}

  async list(filters: readonly Filter[]): Promise<Region[]> {
    const where = new Where().filters(filters, { parent_region_id: 'parent_region_id' });
    const sql = `select ${COLUMNS} from regions where ${where.sql} order by id`;
    return (await this.db.query<RegionRow>(sql, where.params)).map(regionOf);
  }

  async find(id: string): Promise<Region> {
    const row = await this.db.one<RegionRow>(`select ${COLUMNS} from regions where id = $1`, [id]);
    if (!row) throw noRegion(id);
    return regionOf(row);
  }

  async create(region: Region): Promise<void> {
    const { id, description, parentRegionId, extra } = region;
    try {
      await this.db.exec('insert into regions (id, description, parent_region_id, extra) values ($1, $2, $3, $4)', [
        id,
        description,
        parentRegionId ?? null,
        json(extra),
      ]);
    } catch (error) {
      if (isUnique(error)) throw fail.conflict(`Conflict occurred attempting to store region - ${id} exists already.`);
      throw isViolation(error, 'foreignKey') ? noRegion(parentRegionId ?? '') : error;
    }
  }

  async update(id: string, patch: RegionPatch): Promise<Region> {
    const { description, parentRegionId, extra } = patch;
    if (parentRegionId) await this.#refuseCircle(id, parentRegionId);
    const params: unknown[] = [id];
    const columns = { description, parent_region_id: parentRegionId, extra: json(extra) };
    const set = setClause(columns, params) ?? 'set id = id';
    const row = await this.db
      .one<RegionRow>(`update regions ${set} where id = $1 returning ${COLUMNS}`, params)
      .catch((error: unknown) => {
        throw isViolation(error, 'foreignKey') ? noRegion(parentRegionId ?? '') : error;
      });
    if (!row) throw noRegion(id);
    return regionOf(row);
  }

  async remove(id: string): Promise<void> {
    try {
      if (!(await this.db.exec('delete from regions where id = $1', [id]))) throw noRegion(id);
    } catch (error) {
      if (isViolation(error, 'foreignKey'))
        throw fail.forbidden(`Unable to delete region ${id}: it has endpoints or child regions.`);
      throw error;
    }
  }

  async #refuseCircle(id: string, parentId: string): Promise<void> {
    const found = await this.db.one(
      `with recursive above as (
         select id, parent_region_id from regions where id = $2
         union select r.id, r.parent_region_id from regions r join above on r.id = above.parent_region_id)
       select 1 from above where id = $1`,
      [id, parentId],
    );
    if (found) throw fail.invalid('A region can not be below itself.');
  }
}
