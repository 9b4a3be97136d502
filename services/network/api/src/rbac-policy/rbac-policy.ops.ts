import { op } from '#libs/platform/http';
import type { RbacPolicy } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { RbacPolicyHandlers } from './rbac-policy.handlers.js';
import { createRbacPolicyBody, updateRbacPolicyBody } from './rbac-policy.wire.js';

const load = (handlers: RbacPolicyHandlers, call: AnyCall): Promise<RbacPolicy> => handlers.load(call);

export const rbacPolicyOps = [
  op(RbacPolicyHandlers, {
    method: 'POST',
    path: '/v2.0/rbac-policies',
    rule: R.createRbacPolicy,
    status: 201,
    body: createRbacPolicyBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(RbacPolicyHandlers, {
    method: 'GET',
    path: '/v2.0/rbac-policies',
    rule: R.getRbacPolicy,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(RbacPolicyHandlers, {
    method: 'GET',
    path: '/v2.0/rbac-policies/:id',
    rule: R.getRbacPolicy,
    status: 200,
    load,
    run: (handlers, call, policy) => handlers.show(call, policy),
  }),
  op(RbacPolicyHandlers, {
    method: 'PUT',
    path: '/v2.0/rbac-policies/:id',
    rule: R.updateRbacPolicy,
    status: 200,
    body: updateRbacPolicyBody,
    load,
    run: (handlers, call, policy) => handlers.update(call, policy),
  }),
  op(RbacPolicyHandlers, {
    method: 'DELETE',
    path: '/v2.0/rbac-policies/:id',
    rule: R.deleteRbacPolicy,
    status: 204,
    load,
    run: (handlers, _call, policy) => handlers.remove(policy),
  }),
];
