/** Role assignments and what follows from them: for a token, for the list of scopes, for the effective list. */
import type { RoleGraph } from './role-graph.js';

/** One row: a role for a user or a group (exactly one of them) on a project, a domain or (no target) the system. */
export interface Assignment {
  readonly roleId: string;
  readonly userId?: string | undefined;
  readonly groupId?: string | undefined;
  /** A project or a domain; absent for the system. */
  readonly targetId?: string | undefined;
  /** In force on everything below the target instead of on the target itself. */
  readonly inherited: boolean;
}

/** The system, or a project or domain with its ancestors. */
export type AssignmentTarget = 'system' | { readonly id: string; readonly ancestors: readonly string[] };

/** True when the assignment gives its role on the target. */
export function holdsOn(assignment: Assignment, target: AssignmentTarget): boolean {
  if (target === 'system') return assignment.targetId === undefined;
  if (assignment.targetId === undefined) return false;
  return assignment.inherited ? target.ancestors.includes(assignment.targetId) : assignment.targetId === target.id;
}

/** Ids of the roles that some assignments (a user's own and those of his groups) give on a target. */
export const rolesOn = (target: AssignmentTarget, assignments: readonly Assignment[]): ReadonlySet<string> =>
  new Set(assignments.filter((assignment) => holdsOn(assignment, target)).map(({ roleId }) => roleId));

export interface EffectiveAssignment {
  readonly roleId: string;
  readonly userId: string;
  readonly targetId: string | undefined;
  /** The assigned row that it comes from. */
  readonly from: Assignment;
  /** The role that was assigned, where another one implied this. */
  readonly priorRoleId: string | undefined;
}

export interface Surroundings {
  readonly graph: RoleGraph;
  membersOf(groupId: string): readonly string[];
  /** Everything below a project or domain, at any depth. */
  below(targetId: string): readonly string[];
}

/** Every assignment spelled out: groups as their members, inherited ones on each project below, implied roles added. */
export function effectiveAssignments(
  assignments: readonly Assignment[],
  around: Surroundings,
): readonly EffectiveAssignment[] {
  const seen = new Map<string, EffectiveAssignment>();
  for (const from of assignments) {
    const users = from.userId === undefined ? around.membersOf(from.groupId ?? '') : [from.userId];
    const targets = from.inherited && from.targetId !== undefined ? around.below(from.targetId) : [from.targetId];
    for (const roleId of around.graph.closure([from.roleId]))
      for (const userId of users)
        for (const targetId of targets) {
          const key = `${roleId} ${userId} ${targetId ?? ''}`;
          const priorRoleId = roleId === from.roleId ? undefined : from.roleId;
          const known = seen.get(key);
          if (!known || (known.priorRoleId !== undefined && priorRoleId === undefined))
            seen.set(key, { roleId, userId, targetId, from, priorRoleId });
        }
  }
  return [...seen.values()];
}
