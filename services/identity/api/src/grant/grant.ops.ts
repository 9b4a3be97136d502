/**
 * Grants: roles of users and groups on projects, domains and the system. The paths are regular, so the rows are made from
 * the few ways in which they differ.
 */
import { type Call, type Op, op } from '#libs/platform/http';
import type { Place } from '#services/identity/data';
import type { Query } from '../resource.js';
import { admin, reads } from '../rules.js';
import { GrantHandlers } from './grant.handlers.js';

interface Where {
  readonly actor: Place['actor'];
  readonly target: Place['target'];
  readonly inherited: boolean;
}

const ACTORS = ['user', 'group'] as const;
const WHERES: readonly Where[] = ACTORS.flatMap((actor) => [
  { actor, target: 'project', inherited: false },
  { actor, target: 'domain', inherited: false },
  { actor, target: 'system', inherited: false },
  { actor, target: 'project', inherited: true },
  { actor, target: 'domain', inherited: true },
]);

const pathOf = ({ actor, target, inherited }: Where): string => {
  const place = target === 'system' ? '/system' : `/${target}s/:${target}_id`;
  return `/v3${inherited ? '/OS-INHERIT' : ''}${place}/${actor}s/:${actor}_id/roles`;
};

const placeOf =
  (where: Where) =>
  (call: Call<undefined, Query>): Place => ({
    ...where,
    actorId: call.params[`${where.actor}_id`]!,
    targetId: where.target === 'system' ? undefined : call.params[`${where.target}_id`]!,
  });

/** Upstream's names: the system has a set of its own for users and for groups. */
const ruleOf = (verb: 'list' | 'check' | 'create' | 'revoke', { actor, target }: Where) => {
  const grants = verb === 'list' ? 'grants' : 'grant';
  const name = target === 'system' ? `${verb}_system_${grants}_for_${actor}` : `${verb}_${grants}`;
  return verb === 'list' || verb === 'check' ? reads(name) : admin(name);
};

function rows(where: Where): Op[] {
  const place = placeOf(where);
  const path = pathOf(where);
  const tail = where.inherited ? '/inherited_to_projects' : '';
  const list = op<GrantHandlers, undefined, Query>(GrantHandlers, {
    method: 'GET',
    path: `${path}${tail}`,
    rule: ruleOf('list', where),
    status: 200,
    run: (handlers, call) => handlers.list(call, place(call)),
  });
  const single = (method: 'GET' | 'PUT' | 'DELETE', verb: 'check' | 'create' | 'revoke') =>
    op<GrantHandlers, undefined, Query>(GrantHandlers, {
      method,
      path: `${path}/:role_id${tail}`,
      rule: ruleOf(verb, where),
      status: 204,
      run: (handlers, call) => handlers[verb](call, place(call)),
    });
  // Upstream lists inherited grants on domains alone.
  const listed = where.inherited && where.target === 'project' ? [] : [list];
  return [...listed, single('GET', 'check'), single('PUT', 'create'), single('DELETE', 'revoke')];
}

export const grantOps: readonly Op[] = [
  ...WHERES.flatMap(rows),
  op<GrantHandlers, undefined, Query>(GrantHandlers, {
    method: 'GET',
    path: '/v3/role_assignments',
    rule: reads('list_role_assignments'),
    status: 200,
    run: (handlers, call) => handlers.listAll(call),
  }),
];
