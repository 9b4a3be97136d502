/** Groups of servers and who belongs to them. Their quotas are counted under a lock of the project or of the group. */
import { fail } from '#libs/kernel';
import type { Sql, Tx } from '#libs/platform/db';
import { fits, type ServerGroup } from '#services/compute/domain';
import type { EffectiveLimits } from './quota.repo.js';

const COLUMNS = `g.id, g.project_id as "projectId", g.user_id as "userId", g.name, g.policy, g.max_per_host as "maxPerHost",
  g.created_at as "createdAt"`;
const FIND = { name: 'server_group.find', text: `select ${COLUMNS} from server_group g where g.id = $1` };
const OF_SERVER = {
  name: 'server_group.of_server',
  text: `select ${COLUMNS} from server s join server_group g on g.id = s.group_id where s.id = $1`,
};

export interface GroupQuery {
  /** Undefined: of all projects. */
  readonly projectId: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

export class ServerGroupRepo {
  find(on: Sql, id: string): Promise<ServerGroup | undefined> {
    return on.one<ServerGroup>(FIND, [id]);
  }

  /** The group that the server belongs to. */
  ofServer(on: Sql, serverId: string): Promise<ServerGroup | undefined> {
    return on.one<ServerGroup>(OF_SERVER, [serverId]);
  }

  /** In the order in which they were made. */
  list(on: Sql, { projectId, limit, offset }: GroupQuery): Promise<ServerGroup[]> {
    return on.query<ServerGroup>(
      `select ${COLUMNS} from server_group g where $1::text is null or g.project_id = $1 order by g.number limit $2 offset $3`,
      [projectId ?? null, limit, offset],
    );
  }

  /** Server ids by group, oldest first; groups without any are left out. */
  async members(on: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await on.query<{ id: string; members: string[] }>(
      `select group_id as id, array_agg(id order by created_at, id) as members from server where group_id = any ($1) group by group_id`,
      [ids],
    );
    return new Map(rows.map(({ id, members }) => [id, members]));
  }

  async count(on: Sql, projectId: string, userId?: string): Promise<number> {
    const row = await on.one<{ count: number }>(
      'select count(*) as count from server_group where project_id = $1 and ($2::text is null or user_id = $2)',
      [projectId, userId ?? null],
    );
    return row?.count ?? 0;
  }

  /** Throws `overQuota`. */
  async insert(tx: Tx, group: ServerGroup, limits: EffectiveLimits): Promise<void> {
    const { id, projectId, userId, name, policy, maxPerHost, createdAt } = group;
    // Inserts of one project take turns, so that the count holds.
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 8))', [projectId]);
    const ofProject = await this.count(tx, projectId);
    const ofUser = limits.user ? await this.count(tx, projectId, userId) : 0;
    const room = fits(limits.project.server_groups, ofProject + 1);
    if (!room || (limits.user && !fits(limits.user.server_groups, ofUser + 1)))
      throw fail.overQuota('Quota exceeded, too many server groups.');
    await tx.exec(
      `insert into server_group (id, project_id, user_id, name, policy, max_per_host, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
      [id, projectId, userId, name, policy, maxPerHost, createdAt],
    );
  }

  /**
   * Holds the group while new members are inserted in the same transaction. False: it is gone. Throws `overQuota` where the
   * user would have more servers in it than the limit allows.
   */
  async admit(tx: Tx, id: string, userId: string, count: number, limits: EffectiveLimits): Promise<boolean> {
    if (!(await tx.one('select 1 from server_group where id = $1 for update', [id]))) return false;
    const row = await tx.one<{ count: number }>(
      'select count(*) as count from server where group_id = $1 and user_id = $2',
      [id, userId],
    );
    if (!fits((limits.user ?? limits.project).server_group_members, (row?.count ?? 0) + count))
      throw fail.overQuota('Quota exceeded, too many servers in group');
    return true;
  }

  /** Its servers stay, without a group. False: there is no such group. */
  async remove(on: Sql, id: string): Promise<boolean> {
    return (await on.exec('delete from server_group where id = $1', [id])) === 1;
  }
}
