import { type Op, op } from '#libs/platform/http';
import type { Query } from '../resource.js';
import { admin, reads } from '../rules.js';
import { EndpointHandlers } from './endpoint.handlers.js';
import { type EndpointCreate, type EndpointUpdate, endpointCreate, endpointUpdate } from './endpoint.wire.js';

const ENDPOINT = '/v3/endpoints/:endpoint_id';

export const endpointOps: readonly Op[] = [
  op<EndpointHandlers, undefined, Query>(EndpointHandlers, {
    method: 'GET',
    path: '/v3/endpoints',
    rule: reads('list_endpoints'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<EndpointHandlers, EndpointCreate, Query>(EndpointHandlers, {
    method: 'POST',
    path: '/v3/endpoints',
    rule: admin('create_endpoint'),
    status: 201,
    body: endpointCreate,
    run: (handlers, call) => handlers.create(call),
  }),
  op<EndpointHandlers, undefined, Query>(EndpointHandlers, {
    method: 'GET',
    path: ENDPOINT,
    rule: reads('get_endpoint'),
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op<EndpointHandlers, EndpointUpdate, Query>(EndpointHandlers, {
    method: 'PATCH',
    path: ENDPOINT,
    rule: admin('update_endpoint'),
    status: 200,
    body: endpointUpdate,
    run: (handlers, call) => handlers.update(call),
  }),
  op<EndpointHandlers, undefined, Query>(EndpointHandlers, {
    method: 'DELETE',
    path: ENDPOINT,
    rule: admin('delete_endpoint'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
