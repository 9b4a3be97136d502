import { expect, it } from 'vitest';
import { roleChanged, unassigned } from './revocation.js';
import { RoleGraph } from './role-graph.js';

const role = (id: string, domainId?: string) => ({
  id,
  name: id,
  domainId,
  description: null,
  options: {},
  extra: {},
});
const graph = new RoleGraph(
  [role('r'), role('s'), role('local', 'd')],
  [
    { priorId: 'local', impliedId: 'r' },
    { priorId: 'local', impliedId: 's' },
  ],
);
const lost = (targetId: string | undefined, isDomain: boolean, inherited = false, roleId = 'r') =>
  unassigned({ roleId, targetId, inherited }, 'u', isDomain, graph);

it('ends the tokens of a user on the project where a role is taken away', () => {
  expect(lost('p', false)).toEqual([{ userId: 'u', projectId: 'p' }]);
});

it('names the role where no field of a token says the place exactly', () => {
  expect(lost(undefined, false)).toEqual([{ userId: 'u', roleId: 'r' }]);
  expect(lost('d', true)).toEqual([{ userId: 'u', roleId: 'r', domainId: 'd' }]);
  expect(lost('d', true, true)).toEqual([{ userId: 'u', roleId: 'r', domainId: 'd' }]);
  expect(lost('p', false, true)).toEqual([{ userId: 'u', roleId: 'r' }]);
});

it('names what shows in tokens for a role of a domain, which itself never does', () => {
  expect(lost('d', true, false, 'local').map(({ roleId }) => roleId)).toEqual(['r', 's']);
  expect(roleChanged('local', graph)).toEqual([{ roleId: 'r' }, { roleId: 's' }]);
  expect(roleChanged('r', graph)).toEqual([{ roleId: 'r' }]);
});
