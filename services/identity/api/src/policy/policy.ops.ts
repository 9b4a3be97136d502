import { type Op, op } from '#libs/platform/http';
import type { Query } from '../resource.js';
import { admin, reads } from '../rules.js';
import { PolicyHandlers } from './policy.handlers.js';
import { type PolicyCreate, type PolicyUpdate, policyCreate, policyUpdate } from './policy.wire.js';

const POLICY = '/v3/policies/:policy_id';

export const policyOps: readonly Op[] = [
  op<PolicyHandlers, undefined, Query>(PolicyHandlers, {
    method: 'GET',
    path: '/v3/policies',
    rule: reads('list_policies'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<PolicyHandlers, PolicyCreate, Query>(PolicyHandlers, {
    method: 'POST',
    path: '/v3/policies',
    rule: admin('create_policy'),
    status: 201,
    body: policyCreate,
    run: (handlers, call) => handlers.create(call),
  }),
  op<PolicyHandlers, undefined, Query>(PolicyHandlers, {
    method: 'GET',
    path: POLICY,
    rule: reads('get_policy'),
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op<PolicyHandlers, PolicyUpdate, Query>(PolicyHandlers, {
    method: 'PATCH',
    path: POLICY,
    rule: admin('update_policy'),
    status: 200,
    body: policyUpdate,
    run: (handlers, call) => handlers.update(call),
  }),
  op<PolicyHandlers, undefined, Query>(PolicyHandlers, {
    method: 'DELETE',
    path: POLICY,
    rule: admin('delete_policy'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
