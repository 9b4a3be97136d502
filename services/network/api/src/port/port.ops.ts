import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import type { PortOnNetwork } from '#services/network/data';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { PortHandlers } from './port.handlers.js';
import { createPortBody, updatePortBody } from './port.wire.js';

const load = (handlers: PortHandlers, call: AnyCall): Promise<PortOnNetwork> => handlers.load(call);
const shared = (port: PortOnNetwork, who: Credentials): boolean => port.networkProjectId === who.projectId;

export const portOps = [
  op(PortHandlers, {
    method: 'POST',
    path: '/v2.0/ports',
    rule: R.createPort,
    status: 201,
    body: createPortBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(PortHandlers, {
    method: 'GET',
    path: '/v2.0/ports',
    rule: R.getPort,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(PortHandlers, {
    method: 'GET',
    path: '/v2.0/ports/:id',
    rule: R.getPort,
    status: 200,
    load,
    shared,
    run: (handlers, call, port) => handlers.show(call, port),
  }),
  op(PortHandlers, {
    method: 'PUT',
    path: '/v2.0/ports/:id',
    rule: R.updatePort,
    status: 200,
    body: updatePortBody,
    load,
    shared,
    run: (handlers, call, port) => handlers.update(call, port),
  }),
  op(PortHandlers, {
    method: 'DELETE',
    path: '/v2.0/ports/:id',
    rule: R.deletePort,
    status: 204,
    load,
    shared,
    run: (handlers, call, port) => handlers.remove(call, port),
  }),
];
