import { op } from '#libs/platform/http';
import type { NetworkAvailability } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { NetworkIpAvailabilityHandlers } from './network-ip-availability.handlers.js';

const load = (handlers: NetworkIpAvailabilityHandlers, call: AnyCall): Promise<NetworkAvailability> =>
  handlers.load(call);
/** Loaded only for administrators. */
const shared = (): boolean => true;

export const networkIpAvailabilityOps = [
  op(NetworkIpAvailabilityHandlers, {
    method: 'GET',
    path: '/v2.0/network-ip-availabilities',
    rule: R.listIpAvailabilities,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(NetworkIpAvailabilityHandlers, {
    method: 'GET',
    path: '/v2.0/network-ip-availabilities/:id',
    rule: R.getIpAvailability,
    status: 200,
    load,
    shared,
    run: (handlers, call, found) => handlers.show(call, found),
  }),
];
