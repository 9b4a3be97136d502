import { op } from '#libs/platform/http';
import type { FloatingIp } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { PortForwardingHandlers } from './port-forwarding.handlers.js';
import { createForwardingBody, updateForwardingBody } from './port-forwarding.wire.js';

/** The rights are those over the floating IP. */
const load = (handlers: PortForwardingHandlers, call: AnyCall): Promise<FloatingIp> => handlers.load(call);
const ALL = '/v2.0/floatingips/:id/port_forwardings';
const ONE = `${ALL}/:forwarding`;

export const portForwardingOps = [
  op(PortForwardingHandlers, {
    method: 'POST',
    path: ALL,
    rule: R.createForwarding,
    status: 201,
    body: createForwardingBody,
    load,
    run: (handlers, call, floating) => handlers.create(call, floating),
  }),
  op(PortForwardingHandlers, {
    method: 'GET',
    path: ALL,
    rule: R.getForwarding,
    status: 200,
    load,
    run: (handlers, call, floating) => handlers.list(call, floating),
  }),
  op(PortForwardingHandlers, {
    method: 'GET',
    path: ONE,
    rule: R.getForwarding,
    status: 200,
    load,
    run: (handlers, call, floating) => handlers.show(call, floating),
  }),
  op(PortForwardingHandlers, {
    method: 'PUT',
    path: ONE,
    rule: R.updateForwarding,
    status: 200,
    body: updateForwardingBody,
    load,
    run: (handlers, call, floating) => handlers.update(call, floating),
  }),
  op(PortForwardingHandlers, {
    method: 'DELETE',
    path: ONE,
    rule: R.deleteForwarding,
    status: 204,
    load,
    run: (handlers, call, floating) => handlers.remove(call, floating),
  }),
];
