import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { Assignments, Directory, Names, type Place, Projects } from '#services/identity/data';
import { type EffectiveAssignment, effectiveAssignments } from '#services/identity/domain';
import { listReply, type Query } from '../resource.js';
import { viewRole } from '../role/role.wire.js';
import { type AskedAssignments, asked, type NamedParties, type ShownAssignment, viewAssignment } from './grant.wire.js';

type PlainCall = Call<undefined, Query>;

@Injectable()
export class GrantHandlers {
  constructor(
    private readonly assignments: Assignments,
    private readonly directory: Directory,
    private readonly projects: Projects,
    private readonly names: Names,
  ) {}

  async list(call: PlainCall, place: Place): Promise<Reply> {
    const ids = await this.assignments.rolesAt(place);
    const { graph } = await this.directory.current();
    const roles = ids.flatMap((id) => graph.role(id) ?? []);
    return listReply(
      call,
      'roles',
      roles.map((role) => viewRole(role, call)),
    );
  }

  async check(call: PlainCall, place: Place): Promise<Reply> {
    const roleId = call.params['role_id']!;
    if (await this.assignments.holds(place, roleId)) return {};
    throw fail.notFound(`Could not find role assignment with role: ${roleId}, ${place.actor}: ${place.actorId}.`);
  }

  async create(call: PlainCall, place: Place): Promise<Reply> {
    await this.assignments.grant(place, call.params['role_id']!);
    return {};
  }

  async revoke(call: PlainCall, place: Place): Promise<Reply> {
    await this.assignments.revoke(place, call.params['role_id']!);
    return {};
  }

  async listAll(call: PlainCall): Promise<Reply> {
    const wanted = asked(call.query);
    const shown = wanted.effective ? await this.#effective(wanted) : await this.#assigned(wanted);
    const targets = await this.#targets(shown);
    const parties = wanted.includeNames ? await this.#parties(shown) : undefined;
    return listReply(
      call,
      'role_assignments',
      shown.map((assignment) => viewAssignment(assignment, call, targets, parties)),
    );
  }

  async #assigned(wanted: AskedAssignments): Promise<ShownAssignment[]> {
    const targetIds = await this.#subtree(wanted);
    const lists = await Promise.all(
      (targetIds ?? [wanted.targetId]).map((targetId) => this.assignments.list({ ...wanted, targetId })),
    );
    return lists.flat().map((from) => ({ ...from, from, priorRoleId: undefined }));
  }

  /** Spelled out from everything that could matter, then narrowed to what was asked for. */
  async #effective(wanted: AskedAssignments): Promise<ShownAssignment[]> {
    if (wanted.groupId !== undefined) throw fail.invalid('Effective assignments are those of users, not of groups.');
    const targetIds = await this.#subtree(wanted);
    const rows = await this.assignments.list({
      userId: wanted.userId,
      targetId: targetIds ? undefined : wanted.targetId,
      system: wanted.system,
      wide: true,
    });
    const { graph } = await this.directory.current();
    const members = await this.assignments.members(rows.flatMap((row) => row.groupId ?? []));
    const below = await this.assignments.below(
      rows.flatMap((row) => (row.inherited && row.targetId !== undefined ? [row.targetId] : [])),
    );
    const targets = targetIds ?? (wanted.targetId === undefined ? undefined : [wanted.targetId]);
    const fits = (one: EffectiveAssignment) =>
      (wanted.userId === undefined || one.userId === wanted.userId) &&
      (wanted.roleId === undefined || one.roleId === wanted.roleId) &&
      (!targets || (one.targetId !== undefined && targets.includes(one.targetId))) &&
      (!wanted.inherited || one.from.inherited);
    return effectiveAssignments(rows, {
      graph,
      membersOf: (id) => members.get(id) ?? [],
      below: (id) => below.get(id) ?? [],
    })
      .filter(fits)
      .filter((one) => graph.role(one.roleId)?.domainId === undefined)
      .map((one) => ({ ...one, groupId: undefined, inherited: false }));
  }

  /** The project with everything below it, where that was asked for. */
  async #subtree(wanted: AskedAssignments): Promise<readonly string[] | undefined> {
    if (!wanted.includeSubtree) return undefined;
    if (wanted.targetId === undefined) throw fail.invalid('A subtree is that of a project: name one.');
    const project = await this.projects.find(wanted.targetId);
    return [project.id, ...(await this.projects.subtree(project)).map(({ id }) => id)];
  }

  /** Which of the targets are domains. */
  async #targets(shown: readonly ShownAssignment[]): Promise<ReadonlySet<string>> {
    const ids = new Set(shown.flatMap((one) => [one.targetId, one.from.targetId]).filter((id) => id !== undefined));
    const known = await this.names.of('project', ids);
    return new Set([...ids].filter((id) => known.get(id)?.domain === undefined));
  }

  async #parties(shown: readonly ShownAssignment[]): Promise<NamedParties> {
    const idsOf = (pick: (one: ShownAssignment) => string | undefined) =>
      new Set(shown.map(pick).filter((id) => id !== undefined));
    const [users, groups, targets, roles] = await Promise.all([
      this.names.of(
        'user',
        idsOf((one) => one.userId),
      ),
      this.names.of(
        'group',
        idsOf((one) => one.groupId),
      ),
      this.names.of(
        'project',
        idsOf((one) => one.targetId),
      ),
      this.names.of(
        'role',
        idsOf((one) => one.roleId),
      ),
    ]);
    return { users, groups, targets, roles };
  }
}
