import { type Op, op } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import type { Query } from '../resource.js';
import { admin, reads, readsOrOwner } from '../rules.js';
import { GroupHandlers } from './group.handlers.js';
import { type GroupCreate, type GroupUpdate, groupCreate, groupUpdate } from './group.wire.js';

const GROUP = '/v3/groups/:group_id';
const MEMBER = `${GROUP}/users/:user_id`;

export const groupOps: readonly Op[] = [
  op<GroupHandlers, undefined, Query>(GroupHandlers, {
    method: 'GET',
    path: '/v3/groups',
    rule: reads('list_groups'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<GroupHandlers, GroupCreate, Query>(GroupHandlers, {
    method: 'POST',
    path: '/v3/groups',
    rule: admin('create_group'),
    status: 201,
    body: groupCreate,
    run: (handlers, call) => handlers.create(call),
  }),
  op<GroupHandlers, undefined, Query>(GroupHandlers, {
    method: 'GET',
    path: GROUP,
    rule: reads('get_group'),
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op<GroupHandlers, GroupUpdate, Query>(GroupHandlers, {
    method: 'PATCH',
    path: GROUP,
    rule: admin('update_group'),
    status: 200,
    body: groupUpdate,
    run: (handlers, call) => handlers.update(call),
  }),
  op<GroupHandlers, undefined, Query>(GroupHandlers, {
    method: 'DELETE',
    path: GROUP,
    rule: admin('delete_group'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
  op<GroupHandlers, undefined, Query, Target>(GroupHandlers, {
    method: 'GET',
    path: '/v3/users/:user_id/groups',
    rule: readsOrOwner('list_groups_for_user'),
    status: 200,
    shared: () => true,
    load: async (_handlers, call) => ({ userId: call.params['user_id'] }),
    run: (handlers, call) => handlers.listOfUser(call),
  }),
  op<GroupHandlers, undefined, Query>(GroupHandlers, {
    method: 'GET',
    path: MEMBER,
    rule: reads('check_user_in_group'),
    status: 204,
    run: (handlers, call) => handlers.checkMember(call),
  }),
  op<GroupHandlers, undefined, Query>(GroupHandlers, {
    method: 'PUT',
    path: MEMBER,
    rule: admin('add_user_to_group'),
    status: 204,
    run: (handlers, call) => handlers.addMember(call),
  }),
  op<GroupHandlers, undefined, Query>(GroupHandlers, {
    method: 'DELETE',
    path: MEMBER,
    rule: admin('remove_user_from_group'),
    status: 204,
    run: (handlers, call) => handlers.removeMember(call),
  }),
];
