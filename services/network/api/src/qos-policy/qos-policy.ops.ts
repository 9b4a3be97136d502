import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import { type QosPolicy, reaches } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { QosPolicyHandlers } from './qos-policy.handlers.js';
import { createQosPolicyBody, updateQosPolicyBody } from './qos-policy.wire.js';

const load = (handlers: QosPolicyHandlers, call: AnyCall): Promise<QosPolicy> => handlers.load(call);
const shared = (policy: QosPolicy, who: Credentials): boolean => reaches(policy.sharedWith, who.projectId);

export const qosPolicyOps = [
  op(QosPolicyHandlers, {
    method: 'POST',
    path: '/v2.0/qos/policies',
    rule: R.createQosPolicy,
    status: 201,
    body: createQosPolicyBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(QosPolicyHandlers, {
    method: 'GET',
    path: '/v2.0/qos/policies',
    rule: R.getQosPolicy,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(QosPolicyHandlers, {
    method: 'GET',
    path: '/v2.0/qos/policies/:id',
    rule: R.getQosPolicy,
    status: 200,
    load,
    shared,
    run: (handlers, call, policy) => handlers.show(call, policy),
  }),
  op(QosPolicyHandlers, {
    method: 'PUT',
    path: '/v2.0/qos/policies/:id',
    rule: R.updateQosPolicy,
    status: 200,
    body: updateQosPolicyBody,
    load,
    shared,
    run: (handlers, call, policy) => handlers.update(call, policy),
  }),
  op(QosPolicyHandlers, {
    method: 'DELETE',
    path: '/v2.0/qos/policies/:id',
    rule: R.deleteQosPolicy,
    status: 204,
    load,
    shared,
    run: (handlers, call, policy) => handlers.remove(call, policy),
  }),
];
