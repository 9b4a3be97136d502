import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFailure } from '#libs/kernel';
import { RoleGraph } from './role-graph.js';
import { decideScope, type ScopeRequest, type Standing } from './scope.js';

const role = (id: string) => ({ id, name: id, domainId: undefined, description: null, options: {}, extra: {} });
const graph = new RoleGraph(['admin', 'member', 'reader'].map(role), [
  { priorId: 'admin', impliedId: 'member' },
  { priorId: 'member', impliedId: 'reader' },
]);
const domain = { id: 'd', name: 'D' };
const user = { id: 'u', name: 'user', domain, enabled: true };
const project = { id: 'p', name: 'P', isDomain: false, domain, ancestors: ['d'], enabled: true };
const asDomain = { id: 'd', name: 'D', isDomain: true, domain: undefined, ancestors: [], enabled: true };
const member = { roleId: 'member', userId: 'u', targetId: 'p', inherited: false };
const standing = (more: Partial<Standing> = {}): Standing => ({
  user,
  target: project,
  assignments: [member],
  ...more,
});
const wants = (kind: 'project' | 'domain'): ScopeRequest => ({ kind, ref: { id: 'x' } });

const kindOf = (decide: () => unknown): string => {
  try {
    decide();
    return 'given';
  } catch (error) {
    return isFailure(error) ? `${error.kind}: ${error.message}` : String(error);
  }
};
const REFUSED = 'unauthorized: The request you have made requires authentication.';

describe('a scope', () => {
  it('is a project with everything that its roles imply', () => {
    const scope = decideScope(standing(), wants('project'), graph);
    expect(scope.project).toEqual({ id: 'p', name: 'P', domain });
    expect(scope.roles.map(({ id }) => id)).toEqual(['member', 'reader']);
  });

  it('is a domain, the system, or none', () => {
    const onDomain = { ...member, targetId: 'd' };
    const given = decideScope(standing({ target: asDomain, assignments: [onDomain] }), wants('domain'), graph);
    expect(given.domain).toEqual(domain);
    const system = { ...member, targetId: undefined };
    const whole = standing({ target: undefined, assignments: [system] });
    expect(decideScope(whole, { kind: 'system' }, graph).system).toBe(true);
    expect(decideScope(standing(), { kind: 'unscoped' }, graph)).toEqual({ roles: [] });
  });

  const refusals: [string, Standing, ScopeRequest][] = [
    ['a disabled user', standing({ user: { ...user, enabled: false } }), wants('project')],
    ['a disabled project', standing({ target: { ...project, enabled: false } }), wants('project')],
    ['no such project', standing({ target: undefined }), wants('project')],
    ['no role there', standing({ assignments: [] }), wants('project')],
    ['a project asked for as a domain', standing(), wants('domain')],
    ['a domain asked for as a project', standing({ target: asDomain }), wants('project')],
    ['no role on the system', standing({ target: undefined }), { kind: 'system' }],
  ];
  it.each(refusals)('is refused in the same words: %s', (_what, as, request) => {
    expect(kindOf(() => decideScope(as, request, graph))).toBe(REFUSED);
  });

  it('falls back to none where the default project does not hold', () => {
    expect(decideScope(standing(), { kind: 'default' }, graph).project?.id).toBe('p');
    for (const lost of [{ assignments: [] }, { target: undefined }, { target: { ...project, enabled: false } }])
      expect(decideScope(standing(lost), { kind: 'default' }, graph)).toEqual({ roles: [] });
  });
});

describe('a delegated scope', () => {
  it('carries no more than was delegated, and nothing once a part of it is lost', () => {
    const within = (ids: string[]) => () => decideScope(standing(), wants('project'), graph, ids);
    expect(within(['reader'])().roles.map(({ id }) => id)).toEqual(['reader']);
    expect(kindOf(within(['admin']))).toBe(REFUSED);
    expect(kindOf(within(['reader', 'admin']))).toBe(REFUSED);
    expect(kindOf(within([]))).toBe(REFUSED);
  });

  it('is always within what the user holds', () => {
    const ids = fc.subarray(['admin', 'member', 'reader']);
    fc.assert(
      fc.property(ids, ids, (held, within) => {
        const assignments = held.map((roleId) => ({ ...member, roleId }));
        const rights = new Set(graph.closure(held));
        try {
          const scope = decideScope(standing({ assignments }), wants('project'), graph, within);
          expect(scope.roles.every(({ id }) => rights.has(id))).toBe(true);
        } catch (error) {
          expect(isFailure(error, 'unauthorized')).toBe(true);
        }
      }),
    );
  });
});
