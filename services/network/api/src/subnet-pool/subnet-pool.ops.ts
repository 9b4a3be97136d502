import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import { reaches, type SubnetPool } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { SubnetPoolHandlers } from './subnet-pool.handlers.js';
import { createSubnetPoolBody, onboardBody, prefixesBody, updateSubnetPoolBody } from './subnet-pool.wire.js';

const load = (handlers: SubnetPoolHandlers, call: AnyCall): Promise<SubnetPool> => handlers.load(call);
const shared = (pool: SubnetPool, who: Credentials): boolean => reaches(pool.sharedWith, who.projectId);

export const subnetPoolOps = [
  op(SubnetPoolHandlers, {
    method: 'POST',
    path: '/v2.0/subnetpools',
    rule: R.createSubnetPool,
    status: 201,
    body: createSubnetPoolBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(SubnetPoolHandlers, {
    method: 'GET',
    path: '/v2.0/subnetpools',
    rule: R.getSubnetPool,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(SubnetPoolHandlers, {
    method: 'GET',
    path: '/v2.0/subnetpools/:id',
    rule: R.getSubnetPool,
    status: 200,
    load,
    shared,
    run: (handlers, call, pool) => handlers.show(call, pool),
  }),
  op(SubnetPoolHandlers, {
    method: 'PUT',
    path: '/v2.0/subnetpools/:id',
    rule: R.updateSubnetPool,
    status: 200,
    body: updateSubnetPoolBody,
    load,
    shared,
    run: (handlers, call, pool) => handlers.update(call, pool),
  }),
  op(SubnetPoolHandlers, {
    method: 'PUT',
    path: '/v2.0/subnetpools/:id/add_prefixes',
    rule: R.addPrefixes,
    status: 200,
    body: prefixesBody,
    load,
    shared,
    run: (handlers, call, pool) => handlers.addPrefixes(call, pool),
  }),
  op(SubnetPoolHandlers, {
    method: 'PUT',
    path: '/v2.0/subnetpools/:id/remove_prefixes',
    rule: R.removePrefixes,
    status: 200,
    body: prefixesBody,
    load,
    shared,
    run: (handlers, call, pool) => handlers.removePrefixes(call, pool),
  }),
  op(SubnetPoolHandlers, {
    method: 'PUT',
    path: '/v2.0/subnetpools/:id/onboard_network_subnets',
    rule: R.onboardSubnets,
    status: 200,
    body: onboardBody,
    load,
    shared,
    run: (handlers, call, pool) => handlers.onboard(call, pool),
  }),
  op(SubnetPoolHandlers, {
    method: 'DELETE',
    path: '/v2.0/subnetpools/:id',
    rule: R.deleteSubnetPool,
    status: 204,
    load,
    shared,
    run: (handlers, call, pool) => handlers.remove(call, pool),
  }),
];
