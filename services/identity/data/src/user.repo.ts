import { fail } from '#libs/kernel';
import { type Db, isUnique } from '#libs/platform/db';
import type { Extra, Options, User } from '#services/identity/domain';
import type { Changes } from './changes.js';
import { type Filter, json, setClause, Where } from './filter.js';
import { noProject } from './project.repo.js';

export const USER_COLUMNS = 'u.id, u.domain_id, u.name, u.enabled, u.default_project_id, u.options, u.extra';

export interface UserRow {
  id: string;
  domain_id: string;
  name: string;
  enabled: boolean;
  default_project_id: string | null;
  options: Options;
  extra: Extra;
}

export const userOf = (row: UserRow): User => ({
  id: row.id,
  domainId: row.domain_id,
  name: row.name,
  enabled: row.enabled,
  defaultProjectId: row.default_project_id ?? undefined,
  options: row.options,
  extra: row.extra,
});

export interface UserPatch {
  readonly name?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly defaultProjectId?: string | null | undefined;
  /** Null takes the password away: nobody can log in by one. */
  readonly passwordHash?: string | null | undefined;
  readonly options?: Options | undefined;
  readonly extra?: Extra | undefined;
}

export const noUser = (id: string) => fail.notFound(`Could not find user: ${id}.`);
const taken = () => fail.conflict('Conflict occurred attempting to store user - a user of this name exists already.');

export class Users {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
  ) {}

  async list(filters: readonly Filter[], groupId?: string): Promise<User[]> {
    const where = new Where().filters(filters, { name: 'u.name', domain_id: 'u.domain_id', enabled: 'u.enabled' });
    if (groupId !== undefined) where.and('u.id in (select user_id from group_members where group_id = ?)', groupId);
    const sql = `select ${USER_COLUMNS} from users u where ${where.sql} order by u.name, u.id`;
    return (await this.db.query<UserRow>(sql, where.params)).map(userOf);
  }

  async find(id: string): Promise<User> {
    const row = await this.db.one<UserRow>(`select ${USER_COLUMNS} from users u where u.id = $1`, [id]);
    if (!row) throw noUser(id);
    return userOf(row);
  }

  async create(user: User, passwordHash: string | undefined): Promise<void> {
    await this.#refuseDomainAsDefault(user.defaultProjectId);
    try {
      const made = await this.db.exec(
        `insert into users (id, domain_id, name, enabled, default_project_id, password_hash, options, extra)
         select $1, d.id, $3, $4, $5, $6, $7, $8 from projects d where d.id = $2 and d.is_domain`,
        [
          user.id,
          user.domainId,
          user.name,
          user.enabled,
          user.defaultProjectId ?? null,
          passwordHash ?? null,
          json(user.options),
          json(user.extra),
        ],
      );
      if (!made) throw noProject(user.domainId, 'domain');
    } catch (error) {
      throw isUnique(error) ? taken() : error;
    }
  }

  /** A disabled user and a changed password end every token of the user. */
  async update(id: string, patch: UserPatch): Promise<User> {
    await this.#refuseDomainAsDefault(patch.defaultProjectId);
    const { name, enabled, defaultProjectId, passwordHash, options, extra } = patch;
    const columns = {
      name,
      enabled,
      default_project_id: defaultProjectId,
      password_hash: passwordHash,
      options: json(options),
      extra: json(extra),
    };
    try {
      return await this.changes.run('update_user', async (tx, change) => {
        const params: unknown[] = [id];
        const before = await tx.one<UserRow>(`select ${USER_COLUMNS} from users u where u.id = $1 for update`, params);
        if (!before) throw noUser(id);
        const set = setClause(columns, params) ?? 'set id = id';
        const row = await tx.one<UserRow>(`update users u ${set} where u.id = $1 returning ${USER_COLUMNS}`, params);
        if (!row) throw noUser(id);
        if (passwordHash !== undefined || (before.enabled && !row.enabled)) change.revoke({ userId: id });
        return userOf(row);
      });
    } catch (error) {
      throw isUnique(error) ? taken() : error;
    }
  }

  /** Compare and set: false where the password has changed since it was verified. */
  async replacePassword(id: string, oldHash: string, newHash: string): Promise<boolean> {
    return this.changes.run('change_password', async (tx, change) => {
      const sql = 'update users set password_hash = $3 where id = $1 and password_hash = $2';
      const changed = await tx.exec(sql, [id, oldHash, newHash]);
      if (changed) change.revoke({ userId: id });
      return changed === 1;
    });
  }

  async remove(id: string): Promise<void> {
    await this.changes.run('delete_user', async (tx, change) => {
      if (!(await tx.exec('delete from users where id = $1', [id]))) throw noUser(id);
      change.revoke({ userId: id });
    });
  }

  async #refuseDomainAsDefault(projectId: string | null | undefined): Promise<void> {
    if (!projectId) return;
    const found = await this.db.one('select 1 from projects where id = $1 and is_domain', [projectId]);
    if (found) throw fail.invalid("A user's default project must not be a domain.");
  }
}
