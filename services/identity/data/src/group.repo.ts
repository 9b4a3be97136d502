import { fail } from '#libs/kernel';
import { type Db, isUnique, isViolation } from '#libs/platform/db';
import type { Extra, Group } from '#services/identity/domain';
import type { Changes } from './changes.js';
import type { Directory } from './directory.js';
import { type Filter, json, setClause, Where } from './filter.js';
import { lossesOfGroups } from './losses.js';
import { noProject } from './project.repo.js';
import { noUser } from './user.repo.js';

const COLUMNS = 'g.id, g.domain_id, g.name, g.description, g.extra';

interface GroupRow {
  id: string;
  domain_id: string;
  name: string;
  description: string;
  extra: Extra;
}

const groupOf = (row: GroupRow): Group => ({
  id: row.id,
  domainId: row.domain_id,
  name: row.name,
  description: row.description,
  extra: row.extra,
});

export const noGroup = (id: string) => fail.notFound(`Could not find group: ${id}.`);
const taken = () => fail.conflict('Conflict occurred attempting to store group - a group of this name exists already.');

export type GroupPatch = Partial<Pick<Group, 'name' | 'description' | 'extra'>>;

export class Groups {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
    private readonly directory: Directory,
  ) {}

  async list(filters: readonly Filter[], userId?: string): Promise<Group[]> {
    const where = new Where().filters(filters, { name: 'g.name', domain_id: 'g.domain_id' });
    if (userId !== undefined) where.and('g.id in (select group_id from group_members where user_id = ?)', userId);
    const sql = `select ${COLUMNS} from groups g where ${where.sql} order by g.name, g.id`;
    return (await this.db.query<GroupRow>(sql, where.params)).map(groupOf);
  }

  async find(id: string): Promise<Group> {
    const row = await this.db.one<GroupRow>(`select ${COLUMNS} from groups g where g.id = $1`, [id]);
    if (!row) throw noGroup(id);
    return groupOf(row);
  }

  async create(group: Group): Promise<void> {
    try {
      const made = await this.db.exec(
        `insert into groups (id, domain_id, name, description, extra)
         select $1, d.id, $3, $4, $5 from projects d where d.id = $2 and d.is_domain`,
        [group.id, group.domainId, group.name, group.description, json(group.extra)],
      );
      if (!made) throw noProject(group.domainId, 'domain');
    } catch (error) {
      throw isUnique(error) ? taken() : error;
    }
  }

  async update(id: string, patch: GroupPatch): Promise<Group> {
    const params: unknown[] = [id];
    const columns = { name: patch.name, description: patch.description, extra: json(patch.extra) };
    const set = setClause(columns, params) ?? 'set id = id';
    const row = await this.db
      .one<GroupRow>(`update groups g ${set} where g.id = $1 returning ${COLUMNS}`, params)
      .catch((error: unknown) => {
        throw isUnique(error) ? taken() : error;
      });
    if (!row) throw noGroup(id);
    return groupOf(row);
  }

  async remove(id: string): Promise<void> {
    const { graph } = await this.directory.current();
    await this.changes.run('delete_group', async (tx, change) => {
      if (!(await tx.one('select 1 from groups where id = $1 for update', [id]))) throw noGroup(id);
      change.revoke(...(await lossesOfGroups(tx, graph, 'g.id = $1', [id])));
      await tx.exec('delete from groups where id = $1', [id]);
    });
  }

  async hasMember(id: string, userId: string): Promise<boolean> {
    const sql = 'select 1 from group_members where group_id = $1 and user_id = $2';
    return (await this.db.one(sql, [id, userId])) !== undefined;
  }

  async addMember(id: string, userId: string): Promise<void> {
    try {
      await this.db.exec('insert into group_members (group_id, user_id) values ($1, $2) on conflict do nothing', [
        id,
        userId,
      ]);
    } catch (error) {
      if (isViolation(error, 'foreignKey', 'group_members_group_id_fkey')) throw noGroup(id);
      if (isViolation(error, 'foreignKey', 'group_members_user_id_fkey')) throw noUser(userId);
      throw error;
    }
  }

  async removeMember(id: string, userId: string): Promise<void> {
    const { graph } = await this.directory.current();
    await this.changes.run('remove_user_from_group', async (tx, change) => {
      const condition = 'g.id = $1 and m.user_id = $2';
      change.revoke(...(await lossesOfGroups(tx, graph, condition, [id, userId])));
      const sql = 'delete from group_members where group_id = $1 and user_id = $2';
      if (!(await tx.exec(sql, [id, userId]))) throw fail.notFound(`Could not find user ${userId} in group ${id}.`);
    });
  }
}
