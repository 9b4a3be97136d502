import { type Op, op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import { QOS_RULE_TYPES, type QosRuleType, reaches, type Targets } from '#services/network/domain';
import { qosRuleRules } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { QosRuleHandlers } from './qos-rule.handlers.js';
import { createQosRuleBody, updateQosRuleBody } from './qos-rule.wire.js';

const shared = <R extends { readonly sharedWith: Targets }>(row: R, who: Credentials): boolean =>
  reaches(row.sharedWith, who.projectId);

/** One rule, by its policy's path or by the one of rules alone. */
function oneRuleOps(type: QosRuleType, path: 'policy' | 'alias'): Op[] {
  const rules = qosRuleRules(type, path);
  const route =
    path === 'policy'
      ? `/v2.0/qos/policies/:policy_id/${type}_rules/:id`
      : `/v2.0/qos/alias-${type.replaceAll('_', '-')}-rules/:id`;
  const load = (handlers: QosRuleHandlers, call: AnyCall) => handlers.load(call, type, path);
  return [
    op(QosRuleHandlers, {
      method: 'GET',
      path: route,
      rule: rules.get,
      status: 200,
      load,
      shared,
      run: (handlers, call, found) => handlers.show(call, type, path, found),
    }),
    op(QosRuleHandlers, {
      method: 'PUT',
      path: route,
      rule: rules.update,
      status: 200,
      body: updateQosRuleBody(type, path),
      load,
      shared,
      run: (handlers, call, found) => handlers.update(call, type, path, found),
    }),
    op(QosRuleHandlers, {
      method: 'DELETE',
      path: route,
      rule: rules.delete,
      status: 204,
      load,
      shared,
      run: (handlers, call, found) => handlers.remove(call, found),
    }),
  ];
}

function typeOps(type: QosRuleType): Op[] {
  const rules = qosRuleRules(type, 'policy');
  const route = `/v2.0/qos/policies/:policy_id/${type}_rules`;
  return [
    op(QosRuleHandlers, {
      method: 'POST',
      path: route,
      rule: rules.create,
      status: 201,
      body: createQosRuleBody(type),
      run: (handlers, call) => handlers.create(call, type),
    }),
    op(QosRuleHandlers, {
      method: 'GET',
      path: route,
      rule: rules.get,
      status: 200,
      load: (handlers, call) => handlers.policy(call),
      shared,
      run: (handlers, call, policy) => handlers.list(call, type, policy),
    }),
    ...oneRuleOps(type, 'policy'),
    ...oneRuleOps(type, 'alias'),
  ];
}

export const qosRuleOps: readonly Op[] = QOS_RULE_TYPES.flatMap(typeOps);
