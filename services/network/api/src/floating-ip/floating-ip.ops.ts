import { op } from '#libs/platform/http';
import type { FloatingIp } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { FloatingIpHandlers } from './floating-ip.handlers.js';
import { createFloatingIpBody, updateFloatingIpBody } from './floating-ip.wire.js';

const load = (handlers: FloatingIpHandlers, call: AnyCall): Promise<FloatingIp> => handlers.load(call);

export const floatingIpOps = [
  op(FloatingIpHandlers, {
    method: 'POST',
    path: '/v2.0/floatingips',
    rule: R.createFloatingIp,
    status: 201,
    body: createFloatingIpBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(FloatingIpHandlers, {
    method: 'GET',
    path: '/v2.0/floatingips',
    rule: R.getFloatingIp,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(FloatingIpHandlers, {
    method: 'GET',
    path: '/v2.0/floatingips/:id',
    rule: R.getFloatingIp,
    status: 200,
    load,
    run: (handlers, call, floating) => handlers.show(call, floating),
  }),
  op(FloatingIpHandlers, {
    method: 'PUT',
    path: '/v2.0/floatingips/:id',
    rule: R.updateFloatingIp,
    status: 200,
    body: updateFloatingIpBody,
    load,
    run: (handlers, call, floating) => handlers.update(call, floating),
  }),
  op(FloatingIpHandlers, {
    method: 'DELETE',
    path: '/v2.0/floatingips/:id',
    rule: R.deleteFloatingIp,
    status: 204,
    load,
    run: (handlers, call, floating) => handlers.remove(call, floating),
  }),
  op(FloatingIpHandlers, {
    method: 'GET',
    path: '/v2.0/floatingip_pools',
    rule: R.getFloatingIpPool,
    status: 200,
    run: (handlers, call) => handlers.pools(call),
  }),
];
