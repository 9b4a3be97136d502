import { op } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import type { DefaultStatefulness } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { DefaultStatefulnessHandlers } from './default-statefulness.handlers.js';
import { createDefaultStatefulnessBody, updateDefaultStatefulnessBody } from './default-statefulness.wire.js';

const load = (handlers: DefaultStatefulnessHandlers, call: AnyCall): Promise<DefaultStatefulness & Target> =>
  handlers.load(call);

export const defaultStatefulnessOps = [
  op(DefaultStatefulnessHandlers, {
    method: 'POST',
    path: '/v2.0/security-groups-default-statefulness',
    rule: R.createDefaultStatefulness,
    status: 201,
    body: createDefaultStatefulnessBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(DefaultStatefulnessHandlers, {
    method: 'GET',
    path: '/v2.0/security-groups-default-statefulness',
    rule: R.getDefaultStatefulness,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(DefaultStatefulnessHandlers, {
    method: 'GET',
    path: '/v2.0/security-groups-default-statefulness/:id',
    rule: R.getDefaultStatefulness,
    status: 200,
    load,
    run: (handlers, call, setting) => handlers.show(call, setting),
  }),
  op(DefaultStatefulnessHandlers, {
    method: 'PUT',
    path: '/v2.0/security-groups-default-statefulness/:id',
    rule: R.updateDefaultStatefulness,
    status: 200,
    body: updateDefaultStatefulnessBody,
    load,
    run: (handlers, call, setting) => handlers.update(call, setting),
  }),
  op(DefaultStatefulnessHandlers, {
    method: 'DELETE',
    path: '/v2.0/security-groups-default-statefulness/:id',
    rule: R.deleteDefaultStatefulness,
    status: 204,
    load,
    run: (handlers, _call, setting) => handlers.remove(setting),
  }),
];
