import { op } from '#libs/platform/http';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { QosRuleTypeHandlers } from './qos-rule-type.handlers.js';

export const qosRuleTypeOps = [
  op(QosRuleTypeHandlers, {
    method: 'GET',
    path: '/v2.0/qos/rule-types',
    rule: R.getQosRuleType,
    status: 200,
    run: (handlers, call: AnyCall) => handlers.list(call),
  }),
  op(QosRuleTypeHandlers, {
    method: 'GET',
    path: '/v2.0/qos/rule-types/:type',
    rule: R.getQosRuleTypeDrivers,
    status: 200,
    run: (handlers, call: AnyCall) => handlers.show(call),
  }),
];
