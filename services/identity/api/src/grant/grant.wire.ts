import { fail } from '#libs/kernel';
import type { Named } from '#services/identity/data';
import type { Assignment } from '#services/identity/domain';
import { type AnyCall, first, isSet, type Query } from '../resource.js';

/** What a list of assignments is asked for. */
export interface AskedAssignments {
  readonly roleId: string | undefined;
  readonly userId: string | undefined;
  readonly groupId: string | undefined;
  readonly targetId: string | undefined;
  readonly system: boolean;
  readonly inherited: boolean | undefined;
  readonly effective: boolean;
  readonly includeNames: boolean;
  readonly includeSubtree: boolean;
}

export function asked(query: Query): AskedAssignments {
  const projectId = first(query['scope.project.id']);
  const domainId = first(query['scope.domain.id']);
  const system = query['scope.system'] !== undefined;
  const userId = first(query['user.id']);
  const groupId = first(query['group.id']);
  if ([projectId !== undefined, domainId !== undefined, system].filter(Boolean).length > 1)
    throw fail.invalid('Assignments can be listed for one scope at a time.');
  if (userId !== undefined && groupId !== undefined)
    throw fail.invalid('Assignments can be listed for a user or a group, not for both.');
  return {
    roleId: first(query['role.id']),
    userId,
    groupId,
    targetId: projectId ?? domainId,
    system,
    inherited: query['scope.OS-INHERIT:inherited_to'] === undefined ? undefined : true,
    effective: isSet(query, 'effective'),
    includeNames: isSet(query, 'include_names'),
    includeSubtree: isSet(query, 'include_subtree'),
  };
}

/** One line of the list: as assigned, or as it takes effect with where it comes from. */
export interface ShownAssignment {
  readonly roleId: string;
  readonly userId?: string | undefined;
  readonly groupId?: string | undefined;
  readonly targetId?: string | undefined;
  readonly inherited: boolean;
  readonly from: Assignment;
  readonly priorRoleId: string | undefined;
}

export interface NamedParties {
  readonly users: ReadonlyMap<string, Named>;
  readonly groups: ReadonlyMap<string, Named>;
  readonly targets: ReadonlyMap<string, Named>;
  readonly roles: ReadonlyMap<string, Named>;
}

function party(id: string, names: ReadonlyMap<string, Named> | undefined) {
  const named = names?.get(id);
  if (!named) return { id };
  return { id, name: named.name, ...(named.domain && { domain: named.domain }) };
}

/** `domains` holds the ids of those targets that are domains. */
export function viewAssignment(
  one: ShownAssignment,
  call: AnyCall,
  domains: ReadonlySet<string>,
  names: NamedParties | undefined,
) {
  return {
    links: linksOf(one, call, domains),
    role: party(one.roleId, names?.roles),
    ...(one.userId !== undefined && { user: party(one.userId, names?.users) }),
    ...(one.groupId !== undefined && { group: party(one.groupId, names?.groups) }),
    scope: scopeOf(one, domains, names),
  };
}

function scopeOf(one: ShownAssignment, domains: ReadonlySet<string>, names: NamedParties | undefined) {
  const inherited = one.inherited && { 'OS-INHERIT:inherited_to': 'projects' };
  if (one.targetId === undefined) return { system: { all: true } };
  const target = party(one.targetId, names?.targets);
  return { [domains.has(one.targetId) ? 'domain' : 'project']: target, ...inherited };
}

function linksOf({ from, userId, priorRoleId }: ShownAssignment, { base }: AnyCall, domains: ReadonlySet<string>) {
  const actor = from.userId === undefined ? `groups/${from.groupId}` : `users/${from.userId}`;
  const kind = from.targetId !== undefined && domains.has(from.targetId) ? 'domains' : 'projects';
  const place = from.targetId === undefined ? 'system' : `${kind}/${from.targetId}`;
  const path = `${place}/${actor}/roles/${from.roleId}`;
  const shown = from.inherited ? `OS-INHERIT/${path}/inherited_to_projects` : path;
  const viaGroup = from.groupId !== undefined && userId !== undefined;
  return {
    assignment: `${base}/v3/${shown}`,
    ...(viaGroup && { membership: `${base}/v3/groups/${from.groupId}/users/${userId}` }),
    ...(priorRoleId !== undefined && { prior_role: `${base}/v3/roles/${priorRoleId}` }),
  };
}
