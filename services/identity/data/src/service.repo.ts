import { fail } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Extra, Service } from '#services/identity/domain';
import type { Changes } from './changes.js';
import { type Filter, json, setClause, Where } from './filter.js';

export const SERVICE_COLUMNS = 'id, type, name, description, enabled, extra';

export interface ServiceRow {
  id: string;
  type: string;
  name: string | null;
  description: string | null;
  enabled: boolean;
  extra: Extra;
}

export const serviceOf = (row: ServiceRow): Service => ({
  id: row.id,
  type: row.type,
  name: row.name ?? undefined,
  description: row.description ?? undefined,
  enabled: row.enabled,
  extra: row.extra,
});

export type ServicePatch = Partial<Omit<Service, 'id'>>;

const noService = (id: string) => fail.notFound(`Could not find service: ${id}.`);

export class Services {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
  ) {}

  async list(filters: readonly Filter[]): Promise<Service[]> {
    const where = new Where().filters(filters, { name: 'name', type: 'type' });
    const sql = `select ${SERVICE_COLUMNS} from services where ${where.sql} order by type, created_at, id`;
    return (await this.db.query<ServiceRow>(sql, where.params)).map(serviceOf);
  }

  async find(id: string): Promise<Service> {
    const row = await this.db.one<ServiceRow>(`select ${SERVICE_COLUMNS} from services where id = $1`, [id]);
    if (!row) throw noService(id);
    return serviceOf(row);
  }

  async create(service: Service): Promise<void> {
    const { id, type, name, description, enabled, extra } = service;
    await this.changes.run('create_service', async (tx, change) => {
      change.directory();
      await tx.exec(
        'insert into services (id, type, name, description, enabled, extra) values ($1, $2, $3, $4, $5, $6)',
        [id, type, name ?? null, description ?? null, enabled, json(extra)],
      );
    });
  }

  async update(id: string, patch: ServicePatch): Promise<Service> {
    return this.changes.run('update_service', async (tx, change) => {
      change.directory();
      const params: unknown[] = [id];
      const set = setClause({ ...patch, extra: json(patch.extra) }, params) ?? 'set id = id';
      const row = await tx.one<ServiceRow>(`update services ${set} where id = $1 returning ${SERVICE_COLUMNS}`, params);
      if (!row) throw noService(id);
      return serviceOf(row);
    });
  }

  async remove(id: string): Promise<void> {
    await this.changes.run('delete_service', async (tx, change) => {
      change.directory();
      if (!(await tx.exec('delete from services where id = $1', [id]))) throw noService(id);
    });
  }
}
