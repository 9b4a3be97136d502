import { op } from '#libs/platform/http';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { AvailabilityZoneHandlers } from './availability-zone.handlers.js';

export const availabilityZoneOps = [
  op(AvailabilityZoneHandlers, {
    method: 'GET',
    path: '/v2.0/availability_zones',
    rule: R.getZone,
    status: 200,
    run: (handlers, call: AnyCall) => handlers.list(call),
  }),
];
