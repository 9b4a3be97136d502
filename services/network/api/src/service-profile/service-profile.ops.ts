import { op } from '#libs/platform/http';
import type { ServiceProfile } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { ServiceProfileHandlers } from './service-profile.handlers.js';
import { createServiceProfileBody, updateServiceProfileBody } from './service-profile.wire.js';

const load = (handlers: ServiceProfileHandlers, call: AnyCall): Promise<ServiceProfile> => handlers.load(call);
/** Loaded only for administrators. */
const shared = (): boolean => true;

export const serviceProfileOps = [
  op(ServiceProfileHandlers, {
    method: 'POST',
    path: '/v2.0/service_profiles',
    rule: R.createServiceProfile,
    status: 201,
    body: createServiceProfileBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(ServiceProfileHandlers, {
    method: 'GET',
    path: '/v2.0/service_profiles',
    rule: R.getServiceProfile,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(ServiceProfileHandlers, {
    method: 'GET',
    path: '/v2.0/service_profiles/:id',
    rule: R.getServiceProfile,
    status: 200,
    load,
    shared,
    run: (handlers, call, profile) => handlers.show(call, profile),
  }),
  op(ServiceProfileHandlers, {
    method: 'PUT',
    path: '/v2.0/service_profiles/:id',
    rule: R.updateServiceProfile,
    status: 200,
    body: updateServiceProfileBody,
    load,
    shared,
    run: (handlers, call, profile) => handlers.update(call, profile),
  }),
  op(ServiceProfileHandlers, {
    method: 'DELETE',
    path: '/v2.0/service_profiles/:id',
    rule: R.deleteServiceProfile,
    status: 204,
    load,
    shared,
    run: (handlers, _call, profile) => handlers.remove(profile),
  }),
];
