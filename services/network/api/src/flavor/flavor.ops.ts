import { op } from '#libs/platform/http';
import type { Flavor } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { FlavorHandlers } from './flavor.handlers.js';
import { bindProfileBody, createFlavorBody, updateFlavorBody } from './flavor.wire.js';

const load = (handlers: FlavorHandlers, call: AnyCall): Promise<Flavor> => handlers.load(call);
/** Flavors are for everyone to choose from. */
const shared = (): boolean => true;

export const flavorOps = [
  op(FlavorHandlers, {
    method: 'POST',
    path: '/v2.0/flavors',
    rule: R.createFlavor,
    status: 201,
    body: createFlavorBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(FlavorHandlers, {
    method: 'GET',
    path: '/v2.0/flavors',
    rule: R.getFlavor,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(FlavorHandlers, {
    method: 'GET',
    path: '/v2.0/flavors/:id',
    rule: R.getFlavor,
    status: 200,
    load,
    shared,
    run: (handlers, call, flavor) => handlers.show(call, flavor),
  }),
  op(FlavorHandlers, {
    method: 'PUT',
    path: '/v2.0/flavors/:id',
    rule: R.updateFlavor,
    status: 200,
    body: updateFlavorBody,
    load,
    shared,
    run: (handlers, call, flavor) => handlers.update(call, flavor),
  }),
  op(FlavorHandlers, {
    method: 'DELETE',
    path: '/v2.0/flavors/:id',
    rule: R.deleteFlavor,
    status: 204,
    load,
    shared,
    run: (handlers, _call, flavor) => handlers.remove(flavor),
  }),
  op(FlavorHandlers, {
    method: 'POST',
    path: '/v2.0/flavors/:id/service_profiles',
    rule: R.createFlavorProfile,
    status: 201,
    body: bindProfileBody,
    load,
    shared,
    run: (handlers, call, flavor) => handlers.bind(call, flavor),
  }),
  op(FlavorHandlers, {
    method: 'DELETE',
    path: '/v2.0/flavors/:id/service_profiles/:profile',
    rule: R.deleteFlavorProfile,
    status: 204,
    load,
    shared,
    run: (handlers, call, flavor) => handlers.unbind(call, flavor),
  }),
];
