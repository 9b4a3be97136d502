import { fail } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Policy } from '#services/identity/domain';
import { type Filter, json, setClause, Where } from './filter.js';

const COLUMNS = 'id, type, blob, extra';
const missing = (id: string) => fail.notFound(`Could not find policy: ${id}.`);

/** Documents that other services may keep here. Nothing of ours reads them. */
export class Policies {
  constructor(private readonly db: Db) {}

  list(filters: readonly Filter[]): Promise<Policy[]> {
    const where = new Where().filters(filters, { type: 'type' });
    return this.db.query<Policy>(`select ${COLUMNS} from policies where ${where.sql} order by id`, where.params);
  }

  async find(id: string): Promise<Policy> {
    const row = await this.db.one<Policy>(`select ${COLUMNS} from policies where id = $1`, [id]);
    if (!row) throw missing(id);
    return row;
  }

  async create({ id, type, blob, extra }: Policy): Promise<void> {
    const sql = 'insert into policies (id, type, blob, extra) values ($1, $2, $3, $4)';
    await this.db.exec(sql, [id, type, blob, json(extra)]);
  }

  async update(id: string, patch: Partial<Omit<Policy, 'id'>>): Promise<Policy> {
    const params: unknown[] = [id];
    const set = setClause({ type: patch.type, blob: patch.blob, extra: json(patch.extra) }, params) ?? 'set id = id';
    const row = await this.db.one<Policy>(`update policies ${set} where id = $1 returning ${COLUMNS}`, params);
    if (!row) throw missing(id);
    return row;
  }

  async remove(id: string): Promise<void> {
    if (!(await this.db.exec('delete from policies where id = $1', [id]))) throw missing(id);
  }
}
