import { fail } from '#libs/kernel';
import { type Db, isViolation, type Tx } from '#libs/platform/db';
import { type Assignment, type RoleGraph, unassigned } from '#services/identity/domain';
import type { Changes } from './changes.js';
import type { Directory } from './directory.js';
import { Where } from './filter.js';
import { noGroup } from './group.repo.js';
import { lossesOfGroups } from './losses.js';
import { type Kind, noProject } from './project.repo.js';
import { noRole } from './role.repo.js';
import { noUser } from './user.repo.js';

interface Row {
  role_id: string;
  user_id: string | null;
  group_id: string | null;
  target_id: string | null;
  inherited: boolean;
}

const assignmentOf = (row: Row): Assignment => ({
  roleId: row.role_id,
  userId: row.user_id ?? undefined,
  groupId: row.group_id ?? undefined,
  targetId: row.target_id ?? undefined,
  inherited: row.inherited,
});

/** Whose, and where: the path of a grant without its role. */
export interface Place {
  readonly actor: 'user' | 'group';
  readonly actorId: string;
  readonly target: Kind | 'system';
  /** Absent for the system. */
  readonly targetId: string | undefined;
  readonly inherited: boolean;
}

export interface AssignmentFilter {
  readonly roleId?: string | undefined;
  readonly userId?: string | undefined;
  readonly groupId?: string | undefined;
  readonly targetId?: string | undefined;
  readonly system?: boolean | undefined;
  readonly inherited?: boolean | undefined;
  /** Also what is above the target and given to groups of the user: all that an effective assignment may come from. */
  readonly wide?: boolean | undefined;
}

const MATCH = `role_id = $1 and user_id is not distinct from $2 and group_id is not distinct from $3
  and target_id is not distinct from $4 and inherited = $5`;

const key = (place: Place, roleId: string): unknown[] => [
  roleId,
  place.actor === 'user' ? place.actorId : null,
  place.actor === 'group' ? place.actorId : null,
  place.targetId ?? null,
  place.inherited,
];

export class Assignments {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
    private readonly directory: Directory,
  ) {}

  async list(filter: AssignmentFilter): Promise<Assignment[]> {
    const where = new Where();
    const { wide, userId, targetId } = filter;
    if (filter.roleId !== undefined && !wide) where.and('role_id = ?', filter.roleId);
    if (filter.groupId !== undefined) where.and('group_id = ?', filter.groupId);
    if (filter.system) where.and('target_id is null');
    if (filter.inherited !== undefined && !wide) where.and('inherited = ?', filter.inherited);
    if (userId !== undefined)
      if (wide)
        where.and('user_id = ? or group_id in (select group_id from group_members where user_id = ?)', userId, userId);
      else where.and('user_id = ?', userId);
    if (targetId !== undefined)
      if (wide)
        where.and(
          'target_id = ? or target_id in (select unnest(ancestors) from projects where id = ?)',
          targetId,
          targetId,
        );
      else where.and('target_id = ?', targetId);
    const sql = `select role_id, user_id, group_id, target_id, inherited from assignments where ${where.sql}
       order by target_id, user_id, group_id, role_id`;
    return (await this.db.query<Row>(sql, where.params)).map(assignmentOf);
  }

  /** The ids of the roles given at a place. Throws notFound where the actor or the target does not exist. */
  async rolesAt(place: Place): Promise<string[]> {
    await assertPlace(this.db, place);
    const rows = await this.db.query<{ role_id: string }>(
      `select role_id from assignments where user_id is not distinct from $1 and group_id is not distinct from $2
         and target_id is not distinct from $3 and inherited = $4`,
      key(place, '').slice(1),
    );
    return rows.map((row) => row.role_id);
  }

  async holds(place: Place, roleId: string): Promise<boolean> {
    return (await this.db.one(`select 1 from assignments where ${MATCH}`, key(place, roleId))) !== undefined;
  }

  async grant(place: Place, roleId: string): Promise<void> {
    const { graph } = await this.directory.current();
    const role = graph.role(roleId);
    if (!role) throw noRole(roleId);
    const domainId = await assertPlace(this.db, place);
    if (role.domainId !== undefined && role.domainId !== domainId)
      throw fail.forbidden('A role of a domain can only be assigned within that domain.');
    try {
      await this.db.exec(
        `insert into assignments (role_id, user_id, group_id, target_id, inherited) values ($1, $2, $3, $4, $5)
         on conflict do nothing`,
        key(place, roleId),
      );
    } catch (error) {
      if (isViolation(error, 'foreignKey', 'assignments_role_id_fkey')) throw noRole(roleId);
      if (isViolation(error, 'foreignKey')) throw fail.notFound('The user, the group or the target does not exist.');
      throw error;
    }
  }

  async revoke(place: Place, roleId: string): Promise<void> {
    const { graph } = await this.directory.current();
    await assertPlace(this.db, place);
    await this.changes.run('revoke_grant', async (tx, change) => {
      change.revoke(...(await this.#losses(tx, graph, place, roleId)));
      if (!(await tx.exec(`delete from assignments where ${MATCH}`, key(place, roleId))))
        throw fail.notFound(
          `Could not find role assignment with role: ${roleId}, ${place.actor}: ${place.actorId}, target: ${place.targetId ?? 'system'}.`,
        );
    });
  }

  async #losses(tx: Tx, graph: RoleGraph, place: Place, roleId: string) {
    if (place.actor === 'group') {
      const condition = `g.id = $1 and a.role_id = $2 and a.target_id is not distinct from $3 and a.inherited = $4`;
      return lossesOfGroups(tx, graph, condition, [place.actorId, roleId, place.targetId ?? null, place.inherited]);
    }
    const { targetId, inherited } = place;
    return unassigned({ roleId, targetId, inherited }, place.actorId, place.target === 'domain', graph);
  }

  async members(groupIds: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await this.db.query<{ group_id: string; user_id: string }>(
      'select group_id, user_id from group_members where group_id = any($1) order by user_id',
      [groupIds],
    );
    return grouped(rows.map((row) => [row.group_id, row.user_id]));
  }

  /** Everything below each of some projects or domains. */
  async below(targetIds: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await this.db.query<{ above: string; id: string }>(
      `select above, p.id from projects p, unnest(p.ancestors) above where p.ancestors && $1 and above = any($1) order by p.id`,
      [targetIds],
    );
    return grouped(rows.map((row) => [row.above, row.id]));
  }
}

function grouped(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [from, to] of pairs) map.set(from, [...(map.get(from) ?? []), to]);
  return map;
}

/** Throws notFound unless actor and target exist. Returns the domain that the target lies in. */
async function assertPlace(db: Db, place: Place): Promise<string | undefined> {
  const table = place.actor === 'user' ? 'users' : 'groups';
  if (!(await db.one(`select 1 from ${table} where id = $1`, [place.actorId])))
    throw place.actor === 'user' ? noUser(place.actorId) : noGroup(place.actorId);
  if (place.target === 'system') return undefined;
  const id = place.targetId ?? '';
  const sql = 'select coalesce(domain_id, id) as domain_id, is_domain from projects where id = $1';
  const target = await db.one<{ domain_id: string; is_domain: boolean }>(sql, [id]);
  if (!target || target.is_domain !== (place.target === 'domain')) throw noProject(id, place.target);
  return target.domain_id;
}
