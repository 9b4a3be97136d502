import { op } from '#libs/platform/http';
import type { Trunk } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { TrunkHandlers } from './trunk.handlers.js';
import { createTrunkBody, subportsBody, updateTrunkBody } from './trunk.wire.js';

const load = (handlers: TrunkHandlers, call: AnyCall): Promise<Trunk> => handlers.load(call);

export const trunkOps = [
  op(TrunkHandlers, {
    method: 'POST',
    path: '/v2.0/trunks',
    rule: R.createTrunk,
    status: 201,
    body: createTrunkBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(TrunkHandlers, {
    method: 'GET',
    path: '/v2.0/trunks',
    rule: R.getTrunk,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(TrunkHandlers, {
    method: 'GET',
    path: '/v2.0/trunks/:id',
    rule: R.getTrunk,
    status: 200,
    load,
    run: (handlers, call, trunk) => handlers.show(call, trunk),
  }),
  op(TrunkHandlers, {
    method: 'PUT',
    path: '/v2.0/trunks/:id',
    rule: R.updateTrunk,
    status: 200,
    body: updateTrunkBody,
    load,
    run: (handlers, call, trunk) => handlers.update(call, trunk),
  }),
  op(TrunkHandlers, {
    method: 'DELETE',
    path: '/v2.0/trunks/:id',
    rule: R.deleteTrunk,
    status: 204,
    load,
    run: (handlers, call, trunk) => handlers.remove(call, trunk),
  }),
  op(TrunkHandlers, {
    method: 'GET',
    path: '/v2.0/trunks/:id/get_subports',
    rule: R.getSubports,
    status: 200,
    load,
    run: (handlers, _call, trunk) => handlers.subports(trunk),
  }),
  op(TrunkHandlers, {
    method: 'PUT',
    path: '/v2.0/trunks/:id/add_subports',
    rule: R.addSubports,
    status: 200,
    body: subportsBody,
    load,
    run: (handlers, call, trunk) => handlers.addSubports(call, trunk),
  }),
  op(TrunkHandlers, {
    method: 'PUT',
    path: '/v2.0/trunks/:id/remove_subports',
    rule: R.removeSubports,
    status: 200,
    body: subportsBody,
    load,
    run: (handlers, call, trunk) => handlers.removeSubports(call, trunk),
  }),
];
