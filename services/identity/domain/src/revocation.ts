/**
 * What a change takes away, as revocations. Each is written in the transaction of the change itself, so that there is no
 * moment at which the change holds and old tokens do too. Pure: numbers, times and the database are the repository's.
 */
import type { Assignment } from './assignment.js';
import type { RoleGraph } from './role-graph.js';

/** Every present field must match a token. */
export interface RevocationDraft {
  readonly auditId?: string | undefined;
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly domainId?: string | undefined;
  readonly roleId?: string | undefined;
  readonly delegationId?: string | undefined;
  /** Milliseconds: when the last token that this could concern has expired. Unknown for all but single tokens. */
  readonly untilMs?: number | undefined;
}

/** The roles by which tokens show that they hold a role: itself, or what it implies where it never shows itself. */
const shownAs = (roleId: string, graph: RoleGraph): readonly string[] =>
  graph.role(roleId)?.domainId === undefined ? [roleId] : graph.inToken([roleId]).map((role) => role.id);

/**
 * An assignment that ends. On the system, on domains and on subtrees the role is named, because no field of a token
 * says so exactly; a token that never had the role loses nothing.
 */
export function unassigned(
  assignment: Assignment,
  userId: string,
  targetIsDomain: boolean,
  graph: RoleGraph,
): readonly RevocationDraft[] {
  const { targetId, inherited } = assignment;
  if (targetId !== undefined && !targetIsDomain && !inherited) return [{ userId, projectId: targetId }];
  const domainId = targetIsDomain ? targetId : undefined;
  return shownAs(assignment.roleId, graph).map((roleId) => ({ userId, roleId, domainId }));
}

/** A role that is deleted or renamed, or that no longer implies another. Tokens carry names, so a new name counts. */
export const roleChanged = (roleId: string, graph: RoleGraph): readonly RevocationDraft[] =>
  shownAs(roleId, graph).map((id) => ({ roleId: id }));
