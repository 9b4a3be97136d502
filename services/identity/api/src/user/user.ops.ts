import { type Op, op } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import type { Query } from '../resource.js';
import { admin, reads, readsOrOwner } from '../rules.js';
import { UserHandlers } from './user.handlers.js';
import {
  type UserCreate,
  type UserPassword,
  type UserUpdate,
  userCreate,
  userPassword,
  userUpdate,
} from './user.wire.js';

const USER = '/v3/users/:user_id';

export const userOps: readonly Op[] = [
  op<UserHandlers, undefined, Query>(UserHandlers, {
    method: 'GET',
    path: '/v3/users',
    rule: reads('list_users'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<UserHandlers, UserCreate, Query>(UserHandlers, {
    method: 'POST',
    path: '/v3/users',
    rule: admin('create_user'),
    status: 201,
    body: userCreate,
    run: (handlers, call) => handlers.create(call),
  }),
  op<UserHandlers, undefined, Query, Target>(UserHandlers, {
    method: 'GET',
    path: USER,
    rule: readsOrOwner('get_user'),
    status: 200,
    shared: () => true,
    load: async (_handlers, call) => ({ userId: call.params['user_id'] }),
    run: (handlers, call) => handlers.show(call),
  }),
  op<UserHandlers, UserUpdate, Query>(UserHandlers, {
    method: 'PATCH',
    path: USER,
    rule: admin('update_user'),
    status: 200,
    body: userUpdate,
    run: (handlers, call) => handlers.update(call),
  }),
  op<UserHandlers, undefined, Query>(UserHandlers, {
    method: 'DELETE',
    path: USER,
    rule: admin('delete_user'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
  op<UserHandlers, UserPassword, Query>(UserHandlers, {
    method: 'POST',
    path: `${USER}/password`,
    rule: 'public',
    status: 204,
    body: userPassword,
    run: (handlers, call) => handlers.changePassword(call),
  }),
  op<UserHandlers, undefined, Query>(UserHandlers, {
    method: 'GET',
    path: '/v3/groups/:group_id/users',
    rule: reads('list_users_in_group'),
    status: 200,
    run: (handlers, call) => handlers.listOfGroup(call),
  }),
];
