import { type Op, op } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import { first, type Query } from '../resource.js';
import { adminOrOwner, owner, readsOrOwner } from '../rules.js';
import { type FoundTrust, TrustHandlers } from './trust.handlers.js';
import { type TrustCreate, trustCreate } from './trust.wire.js';

const TRUSTS = '/v3/OS-TRUST/trusts';
const TRUST = `${TRUSTS}/:trust_id`;
const shared = () => true;

export const trustOps: readonly Op[] = [
  // One's own, as trustor or as trustee, or everybody's.
  op<TrustHandlers, undefined, Query, Target>(TrustHandlers, {
    method: 'GET',
    path: TRUSTS,
    rule: readsOrOwner('list_trusts'),
    status: 200,
    shared,
    load: async (_handlers, call) => ({
      userId: first(call.query['trustor_user_id']) ?? first(call.query['trustee_user_id']),
    }),
    run: (handlers, call) => handlers.list(call),
  }),
  op<TrustHandlers, TrustCreate, Query, Target>(TrustHandlers, {
    method: 'POST',
    path: TRUSTS,
    rule: owner('create_trust'),
    status: 201,
    body: trustCreate,
    shared,
    load: async (_handlers, call) => ({ userId: call.body.trust.trustor_user_id }),
    run: (handlers, call) => handlers.create(call),
  }),
  op<TrustHandlers, undefined, Query, FoundTrust>(TrustHandlers, {
    method: 'GET',
    path: TRUST,
    rule: readsOrOwner('get_trust'),
    status: 200,
    shared,
    load: (handlers, call) => handlers.find(call),
    run: (handlers, call, found) => handlers.show(call, found),
  }),
  op<TrustHandlers, undefined, Query, FoundTrust>(TrustHandlers, {
    method: 'DELETE',
    path: TRUST,
    rule: adminOrOwner('delete_trust'),
    status: 204,
    shared,
    load: (handlers, call) => handlers.findOwn(call),
    run: (handlers, call, found) => handlers.remove(found, call),
  }),
  op<TrustHandlers, undefined, Query, FoundTrust>(TrustHandlers, {
    method: 'GET',
    path: `${TRUST}/roles`,
    rule: readsOrOwner('list_roles_for_trust'),
    status: 200,
    shared,
    load: (handlers, call) => handlers.find(call),
    run: (handlers, call, found) => handlers.listRoles(call, found),
  }),
  op<TrustHandlers, undefined, Query, FoundTrust>(TrustHandlers, {
    method: 'GET',
    path: `${TRUST}/roles/:role_id`,
    rule: readsOrOwner('get_role_for_trust'),
    status: 200,
    shared,
    load: (handlers, call) => handlers.find(call),
    run: (handlers, call, found) => handlers.showRole(call, found),
  }),
];
