/** Groups of servers: the operations. */
import { type Call, type Op, op } from '#libs/platform/http';
import { PROJECT_READER, rule } from '#libs/platform/policy';
import { admin, isAdmin, member, reader } from '../compute.rules.js';
import { pageSize } from '../paging.wire.js';
import { whole } from '../values.wire.js';
import { ServerGroupHandlers } from './server-group.handlers.js';
import { groupsQuery, newGroupBody, shownGroup } from './server-group.wire.js';

const ALL_PROJECTS = admin('os-server-groups:index:all_projects');
export const serverGroupRules = [ALL_PROJECTS];

type AnyCall = Pick<Call<unknown, unknown>, 'may' | 'params' | 'who'>;
const load = (handlers: ServerGroupHandlers, call: AnyCall) =>
  handlers.find(call.params['id'] ?? '', call.who.projectId, isAdmin(call));

export const serverGroupOps: readonly Op[] = [
  op(ServerGroupHandlers, {
    method: 'GET',
    path: '/v2.1/os-server-groups',
    rule: rule('os_compute_api:os-server-groups:index', PROJECT_READER),
    status: 200,
    query: groupsQuery,
    run: async (handlers, call) => {
      const everywhere = call.query.all_projects !== undefined && call.may(ALL_PROJECTS.name);
      const { offset = 0 } = call.query;
      const limit = pageSize(call.query.limit || undefined);
      const projectId = everywhere ? undefined : (call.who.projectId ?? '');
      const groups = await handlers.list({ projectId, limit, offset });
      return { body: { server_groups: groups.map((group) => shownGroup(group, call)) } };
    },
  }),
  op(ServerGroupHandlers, {
    method: 'POST',
    path: '/v2.1/os-server-groups',
    rule: member('os-server-groups:create'),
    status: 200,
    body: newGroupBody,
    run: async (handlers, call) => {
      const { name, policies, policy = policies?.[0] ?? 'affinity', rules = {} } = call.body.server_group;
      const most = rules.max_server_per_host;
      const maxPerHost = most === undefined ? null : whole(most, 'max_server_per_host', 1);
      const { userId, projectId = '' } = call.who;
      const group = await handlers.create({ name, policy, maxPerHost, userId, projectId });
      return { body: { server_group: shownGroup(group, call) } };
    },
  }),
  op(ServerGroupHandlers, {
    method: 'GET',
    path: '/v2.1/os-server-groups/:id',
    rule: reader('os-server-groups:show'),
    status: 200,
    load,
    run: (_handlers, call, group) => ({ body: { server_group: shownGroup(group, call) } }),
  }),
  op(ServerGroupHandlers, {
    method: 'DELETE',
    path: '/v2.1/os-server-groups/:id',
    rule: member('os-server-groups:delete'),
    status: 204,
    load,
    run: async (handlers, _call, group) => {
      await handlers.remove(group);
      return {};
    },
  }),
];
