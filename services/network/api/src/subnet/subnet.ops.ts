import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import type { SubnetOnNetwork } from '#services/network/data';
import { reaches } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { SubnetHandlers } from './subnet.handlers.js';
import { createSubnetBody, updateSubnetBody } from './subnet.wire.js';

const load = (handlers: SubnetHandlers, call: AnyCall): Promise<SubnetOnNetwork> => handlers.load(call);
const shared = (subnet: SubnetOnNetwork, who: Credentials): boolean =>
  reaches([...subnet.networkSharedWith, ...subnet.networkExternalTo], who.projectId) ||
  subnet.networkProjectId === who.projectId;

export const subnetOps = [
  op(SubnetHandlers, {
    method: 'POST',
    path: '/v2.0/subnets',
    rule: R.createSubnet,
    status: 201,
    body: createSubnetBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(SubnetHandlers, {
    method: 'GET',
    path: '/v2.0/subnets',
    rule: R.getSubnet,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(SubnetHandlers, {
    method: 'GET',
    path: '/v2.0/subnets/:id',
    rule: R.getSubnet,
    status: 200,
    load,
    shared,
    run: (handlers, call, subnet) => handlers.show(call, subnet),
  }),
  op(SubnetHandlers, {
    method: 'PUT',
    path: '/v2.0/subnets/:id',
    rule: R.updateSubnet,
    status: 200,
    body: updateSubnetBody,
    load,
    shared,
    run: (handlers, call, subnet) => handlers.update(call, subnet),
  }),
  op(SubnetHandlers, {
    method: 'DELETE',
    path: '/v2.0/subnets/:id',
    rule: R.deleteSubnet,
    status: 204,
    load,
    shared,
    run: (handlers, call, subnet) => handlers.remove(call, subnet),
  }),
];
