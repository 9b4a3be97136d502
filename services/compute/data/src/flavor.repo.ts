/** Flavors, who may use the private ones, and their extra specs. */
import { fail } from '#libs/kernel';
import { isUnique, isViolation, keyset, type SortKey, type Sql } from '#libs/platform/db';
import type { Flavor, NewFlavor } from '#services/compute/domain';

const COLUMNS = `f.id, f.number, f.name, f.vcpus, f.memory_mb as "memoryMb", f.disk_gb as "diskGb",
  f.ephemeral_gb as "ephemeralGb", f.swap_mb as "swapMb", f.rxtx_factor as "rxtxFactor", f.is_public as "isPublic", f.disabled,
  f.description, f.extra_specs as "extraSpecs", f.created_at as "createdAt", f.updated_at as "updatedAt"`;

/** A project sees public flavors and those it was given access to; `undefined` sees all. */
const VISIBLE = `(f.is_public or exists (select 1 from flavor_access a where a.flavor_id = f.id and a.project_id = $2))`;
const FIND = { name: 'flavor.find', text: `select ${COLUMNS} from flavor f where f.id = $1` };
const FIND_VISIBLE = {
  name: 'flavor.find_visible',
  text: `select ${COLUMNS} from flavor f where f.id = $1 and ${VISIBLE}`,
};

export const FLAVOR_SORT_COLUMNS: Readonly<Record<string, string>> = {
  created_at: 'f.created_at',
  description: 'f.description',
  disabled: 'f.disabled',
  ephemeral_gb: 'f.ephemeral_gb',
  flavorid: 'f.id',
  id: 'f.number',
  is_public: 'f.is_public',
  memory_mb: 'f.memory_mb',
  name: 'f.name',
  root_gb: 'f.disk_gb',
  rxtx_factor: 'f.rxtx_factor',
  swap: 'f.swap_mb',
  updated_at: 'f.updated_at',
  vcpus: 'f.vcpus',
  vcpu_weight: 'f.number',
};
const NULLABLE = new Set(['f.description', 'f.updated_at']);

export interface FlavorQuery {
  /** Public ones, private ones, or both. */
  readonly isPublic: boolean | undefined;
  /** Private ones only where this project has access; undefined: all. */
  readonly visibleTo: string | undefined;
  readonly minMemoryMb: number;
  readonly minDiskGb: number;
  readonly sorts: readonly { readonly key: string; readonly direction: 'asc' | 'desc' }[];
  readonly marker: string | undefined;
  readonly limit: number;
}

const notFound = (id: string) => fail.notFound(`Flavor ${id} could not be found.`);

export class FlavorRepo {
  /** By id, where the project may see it; without a project: whoever may. */
  find(on: Sql, id: string, visibleTo?: string): Promise<Flavor | undefined> {
    return visibleTo === undefined ? on.one<Flavor>(FIND, [id]) : on.one<Flavor>(FIND_VISIBLE, [id, visibleTo]);
  }

  /** One more row than the limit where there is a next page. */
  async list(on: Sql, query: FlavorQuery): Promise<Flavor[]> {
    const params: unknown[] = [query.minMemoryMb, query.minDiskGb];
    const where = ['f.memory_mb >= $1', 'f.disk_gb >= $2', 'not f.disabled'];
    if (query.isPublic !== undefined) where.push(`f.is_public = $${params.push(query.isPublic)}`);
    if (query.visibleTo !== undefined) {
      const project = params.push(query.visibleTo);
      where.push(
        `(f.is_public or exists (select 1 from flavor_access a where a.flavor_id = f.id and a.project_id = $${project}))`,
      );
    }
    const sorts: SortKey[] = query.sorts.map(({ key, direction }) => {
      const column = FLAVOR_SORT_COLUMNS[key]!;
      return { column, direction, nullable: NULLABLE.has(column) };
    });
    const { marker } = query;
    const page = keyset({ from: 'flavor f', sorts, id: 'f.id', marker, limit: query.limit + 1 }, params);
    return on.query<Flavor>(
      `select ${COLUMNS} from flavor f where ${where.join(' and ')} and ${page.where} ${page.tail}`,
      page.params,
    );
  }

  /** Throws `conflict` where the id or the name is taken. */
  async insert(on: Sql, flavor: NewFlavor, now: Date): Promise<Flavor> {
    try {
      const row = await on.one<Flavor>(
        `insert into flavor as f (id, name, vcpus, memory_mb, disk_gb, ephemeral_gb, swap_mb, rxtx_factor, is_public, disabled,
           description, extra_specs, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning ${COLUMNS}`,
        [
          flavor.id,
          flavor.name,
          flavor.vcpus,
          flavor.memoryMb,
          flavor.diskGb,
          flavor.ephemeralGb,
          flavor.swapMb,
          flavor.rxtxFactor,
          flavor.isPublic,
          flavor.disabled,
          flavor.description,
          JSON.stringify(flavor.extraSpecs),
          now,
        ],
      );
      return row!;
    } catch (error) {
      if (isUnique(error, 'flavor_name_unique')) throw fail.conflict(`Flavor with name ${flavor.name} already exists.`);
      if (isUnique(error)) throw fail.conflict(`Flavor with ID ${flavor.id} already exists.`);
      throw error;
    }
  }

  async describe(on: Sql, id: string, description: string | null, now: Date): Promise<Flavor> {
    const row = await on.one<Flavor>(
      `update flavor f set description = $2, updated_at = $3 where f.id = $1 returning ${COLUMNS}`,
      [id, description, now],
    );
    if (!row) throw notFound(id);
    return row;
  }

  async remove(on: Sql, id: string): Promise<void> {
    if ((await on.exec('delete from flavor where id = $1', [id])) !== 1) throw notFound(id);
  }

  /** Merges the given specs into the flavor's. */
  async setSpecs(on: Sql, id: string, specs: Readonly<Record<string, string>>, now: Date): Promise<void> {
    const done = await on.exec('update flavor set extra_specs = extra_specs || $2, updated_at = $3 where id = $1', [
      id,
      JSON.stringify(specs),
      now,
    ]);
    if (done !== 1) throw notFound(id);
  }

  /** False: it has no such spec. */
  async unsetSpec(on: Sql, id: string, key: string, now: Date): Promise<boolean> {
    return (
      (await on.exec(
        'update flavor set extra_specs = extra_specs - $2::text, updated_at = $3 where id = $1 and extra_specs ? $2',
        [id, key, now],
      )) === 1
    );
  }

  async projectsWithAccess(on: Sql, id: string): Promise<string[]> {
    const rows = await on.query<{ projectId: string }>(
      'select project_id as "projectId" from flavor_access where flavor_id = $1 order by project_id',
      [id],
    );
    return rows.map((row) => row.projectId);
  }

  async grant(on: Sql, id: string, projectId: string): Promise<void> {
    try {
      await on.exec('insert into flavor_access (flavor_id, project_id) values ($1, $2)', [id, projectId]);
    } catch (error) {
      if (isUnique(error))
        throw fail.conflict(`Flavor access already exists for flavor ${id} and project ${projectId} combination.`);
      if (isViolation(error, 'foreignKey')) throw notFound(id);
      throw error;
    }
  }

  async revoke(on: Sql, id: string, projectId: string): Promise<void> {
    const gone = await on.exec('delete from flavor_access where flavor_id = $1 and project_id = $2', [id, projectId]);
    if (gone !== 1) throw fail.notFound(`Flavor access not found for ${id} / ${projectId} combination.`);
  }
}
