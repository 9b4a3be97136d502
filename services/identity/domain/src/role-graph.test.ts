import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Role } from './model.js';
import { type Implication, RoleGraph } from './role-graph.js';

const role = (id: string, domainId?: string): Role => ({
  id,
  name: `name-${id}`,
  domainId,
  description: null,
  options: {},
  extra: {},
});
const chain = ['admin', 'manager', 'member', 'reader'];
const implications = chain.slice(1).map((impliedId, index): Implication => ({ priorId: chain[index]!, impliedId }));
const graph = new RoleGraph(
  chain.map((id) => role(id)),
  implications,
);

describe('roles that imply others', () => {
  it('carry everything below them', () => {
    expect([...graph.closure(['manager'])].sort()).toEqual(['manager', 'member', 'reader']);
    expect(graph.inToken(['admin']).map(({ id }) => id)).toEqual(['admin', 'manager', 'member', 'reader']);
    expect(graph.inToken(['reader', 'gone']).map(({ id }) => id)).toEqual(['reader']);
  });

  it('do not close circles', () => {
    expect(graph.wouldCircle({ priorId: 'reader', impliedId: 'admin' })).toBe(true);
    expect(graph.wouldCircle({ priorId: 'reader', impliedId: 'reader' })).toBe(true);
    expect(graph.wouldCircle({ priorId: 'admin', impliedId: 'reader' })).toBe(false);
  });

  it('of one domain show only as what they imply, whatever they are called', () => {
    const impostor = { ...role('local', 'd1'), name: 'name-admin' };
    const mixed = new RoleGraph([...graph.roles, impostor], [{ priorId: 'local', impliedId: 'reader' }]);
    expect(mixed.inToken(['local']).map(({ id }) => id)).toEqual(['reader']);
  });

  it('have closures that end, contain their roots and only grow', () => {
    const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const edges = fc.array(fc.record({ priorId: ids, impliedId: ids }), { maxLength: 20 });
    fc.assert(
      fc.property(edges, fc.array(ids), ids, (some, roots, more) => {
        const any = new RoleGraph(
          [...'abcdef'].map((id) => role(id)),
          some,
        );
        const closure = any.closure(roots);
        for (const root of roots) expect(closure.has(root)).toBe(true);
        expect(any.closure(closure)).toEqual(closure);
        expect([...closure].every((id) => any.closure([...roots, more]).has(id))).toBe(true);
      }),
    );
  });
});
