import { type Op, op } from '#libs/platform/http';
import type { Query } from '../resource.js';
import { admin, reads } from '../rules.js';
import { RoleHandlers } from './role.handlers.js';
import { type RoleCreate, type RoleUpdate, roleCreate, roleUpdate } from './role.wire.js';

const ROLE = '/v3/roles/:role_id';
const IMPLIES = `${ROLE}/implies`;

export const roleOps: readonly Op[] = [
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'GET',
    path: '/v3/roles',
    rule: reads('list_roles'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<RoleHandlers, RoleCreate, Query>(RoleHandlers, {
    method: 'POST',
    path: '/v3/roles',
    rule: admin('create_role'),
    status: 201,
    body: roleCreate,
    run: (handlers, call) => handlers.create(call),
  }),
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'GET',
    path: ROLE,
    rule: reads('get_role'),
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op<RoleHandlers, RoleUpdate, Query>(RoleHandlers, {
    method: 'PATCH',
    path: ROLE,
    rule: admin('update_role'),
    status: 200,
    body: roleUpdate,
    run: (handlers, call) => handlers.update(call),
  }),
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'DELETE',
    path: ROLE,
    rule: admin('delete_role'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'GET',
    path: '/v3/role_inferences',
    rule: reads('list_role_inference_rules'),
    status: 200,
    run: (handlers, call) => handlers.listInferences(call),
  }),
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'GET',
    path: IMPLIES,
    rule: reads('list_implied_roles'),
    status: 200,
    run: (handlers, call) => handlers.listImplied(call),
  }),
  // HEAD is answered with 204, not with GET's status, so it is a row of its own.
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'HEAD',
    path: `${IMPLIES}/:implied_role_id`,
    rule: reads('check_implied_role'),
    status: 204,
    run: async (handlers, call) => {
      await handlers.showImplied(call);
      return {};
    },
  }),
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'GET',
    path: `${IMPLIES}/:implied_role_id`,
    rule: reads('get_implied_role'),
    status: 200,
    run: (handlers, call) => handlers.showImplied(call),
  }),
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'PUT',
    path: `${IMPLIES}/:implied_role_id`,
    rule: admin('create_implied_role'),
    status: 201,
    run: (handlers, call) => handlers.imply(call),
  }),
  op<RoleHandlers, undefined, Query>(RoleHandlers, {
    method: 'DELETE',
    path: `${IMPLIES}/:implied_role_id`,
    rule: admin('delete_implied_role'),
    status: 204,
    run: (handlers, call) => handlers.unimply(call),
  }),
];
