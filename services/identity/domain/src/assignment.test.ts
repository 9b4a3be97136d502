import { describe, expect, it } from 'vitest';
import { type Assignment, effectiveAssignments, rolesOn } from './assignment.js';
import { RoleGraph } from './role-graph.js';

const role = (id: string) => ({ id, name: id, domainId: undefined, description: null, options: {}, extra: {} });
const graph = new RoleGraph([role('member'), role('reader')], [{ priorId: 'member', impliedId: 'reader' }]);
const given = (targetId: string | undefined, inherited = false, roleId = 'member'): Assignment => ({
  roleId,
  userId: 'u',
  targetId,
  inherited,
});
const leaf = { id: 'leaf', ancestors: ['domain', 'top'] };

describe('roles on a target', () => {
  it.each([
    ['on it', given('leaf'), ['member']],
    ['inherited from its parent', given('top', true), ['member']],
    ['inherited from its domain', given('domain', true), ['member']],
    ['on its parent alone', given('top'), []],
    ['inherited below it', given('leaf', true), []],
    ['on another project', given('other'), []],
    ['on the system', given(undefined), []],
  ])('%s', (_what, assignment, roles) => {
    expect([...rolesOn(leaf, [assignment])]).toEqual(roles);
  });

  it('of the system are those without a target', () => {
    expect([...rolesOn('system', [given(undefined), given('leaf', false, 'reader')])]).toEqual(['member']);
  });
});

describe('effective assignments', () => {
  const around = { graph, membersOf: () => ['u1', 'u2'], below: () => ['p1', 'p2'] };

  it('spell out groups, subtrees and implied roles', () => {
    const [assignment] = [{ roleId: 'member', groupId: 'g', targetId: 'd', inherited: true }];
    const all = effectiveAssignments([assignment!], around);
    expect(all).toHaveLength(2 * 2 * 2);
    expect(all).toContainEqual({
      roleId: 'reader',
      userId: 'u2',
      targetId: 'p1',
      from: assignment,
      priorRoleId: 'member',
    });
  });

  it('name what is assigned directly rather than what implies it, and each once', () => {
    const all = effectiveAssignments([given('p'), given('p', false, 'reader'), given('p')], around);
    expect(all.map(({ roleId, priorRoleId }) => [roleId, priorRoleId])).toEqual([
      ['member', undefined],
      ['reader', undefined],
    ]);
  });
});
