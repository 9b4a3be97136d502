import { op } from '#libs/platform/http';
import type { DefaultSecurityGroupRule } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { DefaultSecurityGroupRuleHandlers } from './default-security-group-rule.handlers.js';
import { createDefaultRuleBody } from './default-security-group-rule.wire.js';

const load = (handlers: DefaultSecurityGroupRuleHandlers, call: AnyCall): Promise<DefaultSecurityGroupRule> =>
  handlers.load(call);
/** Templates belong to the cloud and to no project. */
const shared = (): boolean => true;

export const defaultSecurityGroupRuleOps = [
  op(DefaultSecurityGroupRuleHandlers, {
    method: 'POST',
    path: '/v2.0/default-security-group-rules',
    rule: R.createDefaultRule,
    status: 201,
    body: createDefaultRuleBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(DefaultSecurityGroupRuleHandlers, {
    method: 'GET',
    path: '/v2.0/default-security-group-rules',
    rule: R.getDefaultRule,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(DefaultSecurityGroupRuleHandlers, {
    method: 'GET',
    path: '/v2.0/default-security-group-rules/:id',
    rule: R.getDefaultRule,
    status: 200,
    load,
    shared,
    run: (handlers, call, rule) => handlers.show(call, rule),
  }),
  op(DefaultSecurityGroupRuleHandlers, {
    method: 'DELETE',
    path: '/v2.0/default-security-group-rules/:id',
    rule: R.deleteDefaultRule,
    status: 204,
    load,
    shared,
    run: (handlers, call, rule) => handlers.remove(call, rule),
  }),
];
