import { fail } from '#libs/kernel';
import { type Db, isViolation, type Tx } from '#libs/platform/db';
import type { Endpoint, Extra, Interface } from '#services/identity/domain';
import type { Changes } from './changes.js';
import { type Filter, json, setClause, Where } from './filter.js';

export const ENDPOINT_COLUMNS = 'id, service_id, region_id, interface, url, enabled, extra';

export interface EndpointRow {
  id: string;
  service_id: string;
  region_id: string | null;
  interface: Interface;
  url: string;
  enabled: boolean;
  extra: Extra;
}

export const endpointOf = (row: EndpointRow): Endpoint => ({
  id: row.id,
  serviceId: row.service_id,
  regionId: row.region_id ?? undefined,
  interface: row.interface,
  url: row.url,
  enabled: row.enabled,
  extra: row.extra,
});

export type EndpointPatch = Partial<Omit<Endpoint, 'id'>>;

const noEndpoint = (id: string) => fail.notFound(`Could not find endpoint: ${id}.`);

/** A service or region that does not exist is the client's mistake in the body, not in the URL. */
function refuse(error: unknown): never {
  if (isViolation(error, 'foreignKey')) throw fail.invalid('The service or the region does not exist.');
  throw error;
}

export class Endpoints {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
  ) {}

  async list(filters: readonly Filter[]): Promise<Endpoint[]> {
    const where = new Where().filters(filters, {
      interface: 'interface',
      service_id: 'service_id',
      region_id: 'region_id',
      region: 'region_id',
    });
    const sql = `select ${ENDPOINT_COLUMNS} from endpoints where ${where.sql} order by created_at, id`;
    return (await this.db.query<EndpointRow>(sql, where.params)).map(endpointOf);
  }

  async find(id: string): Promise<Endpoint> {
    const row = await this.db.one<EndpointRow>(`select ${ENDPOINT_COLUMNS} from endpoints where id = $1`, [id]);
    if (!row) throw noEndpoint(id);
    return endpointOf(row);
  }

  /** `madeRegion` is made where it does not exist: the older way to name a region, by name alone. */
  async create(endpoint: Endpoint, madeRegion: string | undefined): Promise<void> {
    await this.changes
      .run('create_endpoint', async (tx, change) => {
        change.directory();
        await makeRegion(tx, madeRegion);
        await tx.exec(
          `insert into endpoints (id, service_id, region_id, interface, url, enabled, extra)
           values ($1, $2, $3, $4, $5, $6, $7)`,
          [
            endpoint.id,
            endpoint.serviceId,
            endpoint.regionId ?? null,
            endpoint.interface,
            endpoint.url,
            endpoint.enabled,
            json(endpoint.extra),
          ],
        );
      })
      .catch(refuse);
  }

  async update(id: string, patch: EndpointPatch, madeRegion: string | undefined): Promise<Endpoint> {
    return this.changes
      .run('update_endpoint', async (tx, change) => {
        change.directory();
        await makeRegion(tx, madeRegion);
        const { serviceId, regionId, extra, ...same } = patch;
        const params: unknown[] = [id];
        const columns = { ...same, service_id: serviceId, region_id: regionId, extra: json(extra) };
        const set = setClause(columns, params) ?? 'set id = id';
        const row = await tx.one<EndpointRow>(
          `update endpoints ${set} where id = $1 returning ${ENDPOINT_COLUMNS}`,
          params,
        );
        if (!row) throw noEndpoint(id);
        return endpointOf(row);
      })
      .catch(refuse);
  }

  async remove(id: string): Promise<void> {
    await this.changes.run('delete_endpoint', async (tx, change) => {
      change.directory();
      if (!(await tx.exec('delete from endpoints where id = $1', [id]))) throw noEndpoint(id);
    });
  }
}

async function makeRegion(tx: Tx, id: string | undefined): Promise<void> {
  if (id !== undefined) await tx.exec('insert into regions (id) values ($1) on conflict do nothing', [id]);
}
