import { fail } from '#libs/kernel';
import { type Db, isUnique, isViolation } from '#libs/platform/db';
import { type Extra, type Options, type Role, roleChanged } from '#services/identity/domain';
import type { Changes } from './changes.js';
import type { Directory } from './directory.js';
import { type Filter, json, setClause, Where } from './filter.js';

export const ROLE_COLUMNS = 'id, name, domain_id, description, options, extra';

export interface RoleRow {
  id: string;
  name: string;
  domain_id: string | null;
  description: string | null;
  options: Options;
  extra: Extra;
}

export const roleOf = (row: RoleRow): Role => ({
  id: row.id,
  name: row.name,
  domainId: row.domain_id ?? undefined,
  description: row.description,
  options: row.options,
  extra: row.extra,
});

export const noRole = (id: string) => fail.notFound(`Could not find role: ${id}.`);
const taken = () => fail.conflict('Conflict occurred attempting to store role - a role of this name exists already.');

export interface RolePatch {
  readonly name?: string | undefined;
  readonly description?: string | null | undefined;
  readonly options?: Options | undefined;
  readonly extra?: Extra | undefined;
}

export class Roles {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
    private readonly directory: Directory,
  ) {}

  /** Global roles, unless the filters ask for those of a domain. */
  async list(filters: readonly Filter[]): Promise<Role[]> {
    const where = new Where().filters(filters, { name: 'name', domain_id: 'domain_id' });
    if (!filters.some((filter) => filter.field === 'domain_id')) where.and('domain_id is null');
    const rows = await this.db.query<RoleRow>(
      `select ${ROLE_COLUMNS} from roles where ${where.sql} order by name, id`,
      where.params,
    );
    return rows.map(roleOf);
  }

  async find(id: string): Promise<Role> {
    const row = await this.db.one<RoleRow>(`select ${ROLE_COLUMNS} from roles where id = $1`, [id]);
    if (!row) throw noRole(id);
    return roleOf(row);
  }

  async create(role: Role): Promise<void> {
    await this.changes
      .run('create_role', async (tx, change) => {
        change.directory();
        await tx.exec(
          'insert into roles (id, name, domain_id, description, options, extra) values ($1, $2, $3, $4, $5, $6)',
          [role.id, role.name, role.domainId ?? null, role.description, json(role.options), json(role.extra)],
        );
      })
      .catch((error: unknown) => {
        if (isUnique(error)) throw taken();
        if (isViolation(error, 'foreignKey')) throw fail.notFound(`Could not find domain: ${role.domainId}.`);
        throw error;
      });
  }

  /** Tokens carry names of roles, so a new name ends those that carry the old one. */
  async update(id: string, patch: RolePatch): Promise<Role> {
    const before = await this.find(id);
    const frozen = before.options.immutable && patch.options?.immutable !== false;
    if (frozen) throw fail.forbidden(`Cannot update role ${id}: it is immutable.`);
    const { graph } = await this.directory.current();
    try {
      return await this.changes.run('update_role', async (tx, change) => {
        const params: unknown[] = [id];
        const set = setClause(
          { name: patch.name, description: patch.description, options: json(patch.options), extra: json(patch.extra) },
          params,
        );
        const row = await tx.one<RoleRow>(
          set
            ? `update roles ${set} where id = $1 returning ${ROLE_COLUMNS}`
            : `select ${ROLE_COLUMNS} from roles where id = $1`,
          params,
        );
        if (!row) throw noRole(id);
        change.directory();
        if (row.name !== before.name) change.revoke(...roleChanged(id, graph));
        return roleOf(row);
      });
    } catch (error) {
      throw isUnique(error) ? taken() : error;
    }
  }

  async remove(id: string): Promise<void> {
    const role = await this.find(id);
    if (role.options.immutable) throw fail.forbidden(`Cannot delete role ${id}: it is immutable.`);
    const { graph } = await this.directory.current();
    await this.changes.run('delete_role', async (tx, change) => {
      if (!(await tx.exec('delete from roles where id = $1', [id]))) throw noRole(id);
      change.directory();
      change.revoke(...roleChanged(id, graph));
    });
  }

  async imply(priorId: string, impliedId: string): Promise<void> {
    const { graph } = await this.directory.current();
    const prior = await this.find(priorId);
    const implied = await this.find(impliedId);
    if (implied.options.immutable && implied.name === 'admin')
      throw fail.forbidden(`Role ${impliedId} must not be implied by another.`);
    if (graph.wouldCircle({ priorId: prior.id, impliedId: implied.id }))
      throw fail.forbidden('The implication would close a circle.');
    await this.changes.run('create_implied_role', async (tx, change) => {
      await tx.exec('insert into implied_roles (prior_id, implied_id) values ($1, $2) on conflict do nothing', [
        priorId,
        impliedId,
      ]);
      change.directory();
    });
  }

  async unimply(priorId: string, impliedId: string): Promise<void> {
    const { graph } = await this.directory.current();
    await this.changes.run('delete_implied_role', async (tx, change) => {
      const sql = 'delete from implied_roles where prior_id = $1 and implied_id = $2';
      if (!(await tx.exec(sql, [priorId, impliedId])))
        throw fail.notFound(`Role ${priorId} does not imply role ${impliedId}.`);
      change.directory();
      change.revoke(...roleChanged(priorId, graph));
    });
  }
}
