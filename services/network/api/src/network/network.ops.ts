import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import { isVisible, type Network } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { NetworkHandlers } from './network.handlers.js';
import { createNetworkBody, updateNetworkBody } from './network.wire.js';

const load = (handlers: NetworkHandlers, call: AnyCall): Promise<Network> => handlers.load(call);
const shared = (network: Network, who: Credentials): boolean => isVisible(network, who.projectId);

export const networkOps = [
  op(NetworkHandlers, {
    method: 'POST',
    path: '/v2.0/networks',
    rule: R.createNetwork,
    status: 201,
    body: createNetworkBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(NetworkHandlers, {
    method: 'GET',
    path: '/v2.0/networks',
    rule: R.getNetwork,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(NetworkHandlers, {
    method: 'GET',
    path: '/v2.0/networks/:id',
    rule: R.getNetwork,
    status: 200,
    load,
    shared,
    run: (handlers, call, network) => handlers.show(call, network),
  }),
  op(NetworkHandlers, {
    method: 'PUT',
    path: '/v2.0/networks/:id',
    rule: R.updateNetwork,
    status: 200,
    body: updateNetworkBody,
    load,
    shared,
    run: (handlers, call, network) => handlers.update(call, network),
  }),
  op(NetworkHandlers, {
    method: 'DELETE',
    path: '/v2.0/networks/:id',
    rule: R.deleteNetwork,
    status: 204,
    load,
    shared,
    run: (handlers, call, network) => handlers.remove(call, network),
  }),
];
