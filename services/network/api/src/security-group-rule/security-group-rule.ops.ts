import { op } from '#libs/platform/http';
import type { SecurityGroupRule } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { SecurityGroupRuleHandlers } from './security-group-rule.handlers.js';
import { createRuleBody } from './security-group-rule.wire.js';

const load = (handlers: SecurityGroupRuleHandlers, call: AnyCall): Promise<SecurityGroupRule> => handlers.load(call);

export const securityGroupRuleOps = [
  op(SecurityGroupRuleHandlers, {
    method: 'POST',
    path: '/v2.0/security-group-rules',
    rule: R.createRule,
    status: 201,
    body: createRuleBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(SecurityGroupRuleHandlers, {
    method: 'GET',
    path: '/v2.0/security-group-rules',
    rule: R.getRule,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(SecurityGroupRuleHandlers, {
    method: 'GET',
    path: '/v2.0/security-group-rules/:id',
    rule: R.getRule,
    status: 200,
    load,
    run: (handlers, call, rule) => handlers.show(call, rule),
  }),
  op(SecurityGroupRuleHandlers, {
    method: 'DELETE',
    path: '/v2.0/security-group-rules/:id',
    rule: R.deleteRule,
    status: 204,
    load,
    run: (handlers, call, rule) => handlers.remove(call, rule),
  }),
];
