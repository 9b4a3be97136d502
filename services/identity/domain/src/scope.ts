/**
 * For what a token is asked, and whether it is given. Every refusal is the same `unauthorized`: whether the user, the
 * project or the assignment is missing or disabled is nobody's business who could not prove to be the user.
 */
import { fail } from '#libs/kernel';
import { type Assignment, rolesOn } from './assignment.js';
import type { Role } from './model.js';
import type { RoleGraph } from './role-graph.js';

/** By id, or by name within a domain that is itself named either way. A domain's own name needs no domain. */
export type Ref =
  | { readonly id: string }
  | { readonly name: string; readonly domain?: { readonly id?: string; readonly name?: string } | undefined };

export type ScopeRequest =
  | { readonly kind: 'project' | 'domain'; readonly ref: Ref }
  /** Nothing was asked for: the default project where it holds, else unscoped. */
  | { readonly kind: 'default' }
  | { readonly kind: 'system' }
  | { readonly kind: 'unscoped' };

export interface NamedDomain {
  readonly id: string;
  readonly name: string;
}

/** A user as he stands, read in one snapshot together with what he asks for. */
export interface Standing {
  readonly user: {
    readonly id: string;
    readonly name: string;
    readonly domain: NamedDomain;
    /** Both the user and his domain. */
    readonly enabled: boolean;
  };
  /** The project or domain that was asked for, if there is one. */
  readonly target:
    | {
        readonly id: string;
        readonly name: string;
        readonly isDomain: boolean;
        /** Of a project. */
        readonly domain: NamedDomain | undefined;
        readonly ancestors: readonly string[];
        /** Both it and its domain. */
        readonly enabled: boolean;
      }
    | undefined;
  /** The user's own assignments and those of his groups, as far as they could matter. */
  readonly assignments: readonly Assignment[];
}

export interface Scope {
  readonly project?: { readonly id: string; readonly name: string; readonly domain: NamedDomain };
  readonly domain?: NamedDomain;
  readonly system?: true;
  readonly roles: readonly Role[];
}

export const refused = () => fail.unauthorized('The request you have made requires authentication.');

/** The scope with its roles. `within` limits them: the roles of a credential or trust, never more than the user holds. */
export function decideScope(
  standing: Standing,
  request: ScopeRequest,
  graph: RoleGraph,
  within?: readonly string[],
): Scope {
  if (!standing.user.enabled) throw refused();
  if (request.kind === 'unscoped') return { roles: [] };
  const roles = rolesFor(standing, request, graph, within);
  if (!roles.length) {
    if (request.kind === 'default') return { roles: [] };
    throw refused();
  }
  const { target } = standing;
  if (request.kind === 'system' || !target) return { system: true, roles };
  if (target.isDomain) return { domain: { id: target.id, name: target.name }, roles };
  if (!target.domain) throw refused();
  return { project: { id: target.id, name: target.name, domain: target.domain }, roles };
}

function rolesFor(
  { target, assignments }: Standing,
  request: ScopeRequest,
  graph: RoleGraph,
  within: readonly string[] | undefined,
): readonly Role[] {
  if (request.kind !== 'system') {
    if (!target?.enabled) return [];
    if (target.isDomain !== (request.kind === 'domain')) return [];
  }
  const held = rolesOn(request.kind === 'system' || !target ? 'system' : target, assignments);
  return within === undefined ? graph.inToken(held) : limited(held, within, graph);
}

/** Every delegated role must still be held, be it by implication: a delegation that has lost a part has lost all. */
function limited(held: Iterable<string>, within: readonly string[], graph: RoleGraph): readonly Role[] {
  const all = graph.closure(held);
  return within.every((id) => all.has(id)) ? graph.inToken(within) : [];
}
