/** Security groups and their rules by way of compute, up to 2.35. */
import { type Op, op } from '#libs/platform/http';
import { isAdmin, member, reader } from '../compute.rules.js';
import { SecurityGroupHandlers } from './security-group.handlers.js';
import { groupBody, groupsQuery, groupView, ruleBody, ruleView } from './security-group.wire.js';

const UNTIL = { until: '2.35' } as const;
const path = '/v2.1/os-security-groups';
const idOf = (call: { readonly params: Readonly<Record<string, string>> }): string => call.params['id'] ?? '';

const groups: readonly Op[] = [
  op(SecurityGroupHandlers, {
    method: 'GET',
    path,
    ...UNTIL,
    rule: reader('os-security-groups:get'),
    status: 200,
    query: groupsQuery,
    run: async (handlers, call) => {
      const { limit, offset, all_tenants: everywhere } = call.query;
      const all = await handlers.list(call, isAdmin(call) && everywhere !== undefined);
      const from = offset?.at(-1) ?? 0;
      const shown = all.slice(from, from + (limit?.at(-1) || all.length));
      const names = await handlers.names(call, shown, []);
      return { body: { security_groups: shown.map((group) => groupView(group, names)) } };
    },
  }),
  op(SecurityGroupHandlers, {
    method: 'POST',
    path,
    ...UNTIL,
    rule: member('os-security-groups:create'),
    status: 200,
    body: groupBody,
    run: async (handlers, call) => {
      const group = await handlers.create(call, call.body.security_group);
      return { body: { security_group: groupView(group, await handlers.names(call, [group], [])) } };
    },
  }),
  op(SecurityGroupHandlers, {
    method: 'GET',
    path: `${path}/:id`,
    ...UNTIL,
    rule: reader('os-security-groups:show'),
    status: 200,
    run: async (handlers, call) => {
      const group = await handlers.find(call, idOf(call));
      return { body: { security_group: groupView(group, await handlers.names(call, [group], [])) } };
    },
  }),
  op(SecurityGroupHandlers, {
    method: 'PUT',
    path: `${path}/:id`,
    ...UNTIL,
    rule: member('os-security-groups:update'),
    status: 200,
    body: groupBody,
    run: async (handlers, call) => {
      const group = await handlers.update(call, idOf(call), call.body.security_group);
      return { body: { security_group: groupView(group, await handlers.names(call, [group], [])) } };
    },
  }),
  op(SecurityGroupHandlers, {
    method: 'DELETE',
    path: `${path}/:id`,
    ...UNTIL,
    rule: member('os-security-groups:delete'),
    status: 202,
    run: async (handlers, call) => {
      await handlers.remove(call, idOf(call));
      return {};
    },
  }),
];

const rules: readonly Op[] = [
  op(SecurityGroupHandlers, {
    method: 'POST',
    path: '/v2.1/os-security-group-rules',
    ...UNTIL,
    rule: member('os-security-groups:rule:create'),
    status: 200,
    body: ruleBody,
    run: async (handlers, call) => {
      const made = await handlers.addRule(call, call.body.security_group_rule);
      return { body: { security_group_rule: ruleView(made, await handlers.names(call, [], [made])) } };
    },
  }),
  op(SecurityGroupHandlers, {
    method: 'DELETE',
    path: '/v2.1/os-security-group-rules/:id',
    ...UNTIL,
    rule: member('os-security-groups:rule:delete'),
    status: 202,
    run: async (handlers, call) => {
      await handlers.removeRule(call, idOf(call));
      return {};
    },
  }),
];

export const securityGroupOps: readonly Op[] = [...groups, ...rules];
