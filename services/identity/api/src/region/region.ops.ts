import { type Op, op } from '#libs/platform/http';
import type { Query } from '../resource.js';
import { admin, anyone } from '../rules.js';
import { RegionHandlers } from './region.handlers.js';
import { type RegionBody, regionBody } from './region.wire.js';

const REGION = '/v3/regions/:region_id';

export const regionOps: readonly Op[] = [
  op<RegionHandlers, undefined, Query>(RegionHandlers, {
    method: 'GET',
    path: '/v3/regions',
    rule: anyone('list_regions'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<RegionHandlers, RegionBody, Query>(RegionHandlers, {
    method: 'POST',
    path: '/v3/regions',
    rule: admin('create_region'),
    status: 201,
    body: regionBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op<RegionHandlers, RegionBody, Query>(RegionHandlers, {
    method: 'PUT',
    path: REGION,
    rule: admin('create_region'),
    status: 201,
    body: regionBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op<RegionHandlers, undefined, Query>(RegionHandlers, {
    method: 'GET',
    path: REGION,
    rule: anyone('get_region'),
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op<RegionHandlers, RegionBody, Query>(RegionHandlers, {
    method: 'PATCH',
    path: REGION,
    rule: admin('update_region'),
    status: 200,
    body: regionBody,
    run: (handlers, call) => handlers.update(call),
  }),
  op<RegionHandlers, undefined, Query>(RegionHandlers, {
    method: 'DELETE',
    path: REGION,
    rule: admin('delete_region'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
