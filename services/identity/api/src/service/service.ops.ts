import { type Op, op } from '#libs/platform/http';
import type { Query } from '../resource.js';
import { admin, reads } from '../rules.js';
import { ServiceHandlers } from './service.handlers.js';
import { type ServiceCreate, type ServiceUpdate, serviceCreate, serviceUpdate } from './service.wire.js';

const SERVICE = '/v3/services/:service_id';

export const serviceOps: readonly Op[] = [
  op<ServiceHandlers, undefined, Query>(ServiceHandlers, {
    method: 'GET',
    path: '/v3/services',
    rule: reads('list_services'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<ServiceHandlers, ServiceCreate, Query>(ServiceHandlers, {
    method: 'POST',
    path: '/v3/services',
    rule: admin('create_service'),
    status: 201,
    body: serviceCreate,
    run: (handlers, call) => handlers.create(call),
  }),
  op<ServiceHandlers, undefined, Query>(ServiceHandlers, {
    method: 'GET',
    path: SERVICE,
    rule: reads('get_service'),
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op<ServiceHandlers, ServiceUpdate, Query>(ServiceHandlers, {
    method: 'PATCH',
    path: SERVICE,
    rule: admin('update_service'),
    status: 200,
    body: serviceUpdate,
    run: (handlers, call) => handlers.update(call),
  }),
  op<ServiceHandlers, undefined, Query>(ServiceHandlers, {
    method: 'DELETE',
    path: SERVICE,
    rule: admin('delete_service'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
