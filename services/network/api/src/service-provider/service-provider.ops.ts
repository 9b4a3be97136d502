import { op } from '#libs/platform/http';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { ServiceProviderHandlers } from './service-provider.handlers.js';

export const serviceProviderOps = [
  op(ServiceProviderHandlers, {
    method: 'GET',
    path: '/v2.0/service-providers',
    rule: R.getServiceProvider,
    status: 200,
    run: (handlers, call: AnyCall) => handlers.list(call),
  }),
];
