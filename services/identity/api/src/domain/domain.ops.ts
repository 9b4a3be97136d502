import { type Op, op } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import type { Query } from '../resource.js';
import { admin, reads, readsOrDomain } from '../rules.js';
import { DomainHandlers } from './domain.handlers.js';
import { type DomainCreate, type DomainUpdate, domainCreate, domainUpdate } from './domain.wire.js';

const DOMAIN = '/v3/domains/:domain_id';

export const domainOps: readonly Op[] = [
  op<DomainHandlers, undefined, Query>(DomainHandlers, {
    method: 'GET',
    path: '/v3/domains',
    rule: reads('list_domains'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<DomainHandlers, DomainCreate, Query>(DomainHandlers, {
    method: 'POST',
    path: '/v3/domains',
    rule: admin('create_domain'),
    status: 201,
    body: domainCreate,
    run: (handlers, call) => handlers.create(call),
  }),
  op<DomainHandlers, undefined, Query, Target>(DomainHandlers, {
    method: 'GET',
    path: DOMAIN,
    rule: readsOrDomain('get_domain'),
    status: 200,
    shared: () => true,
    load: async (_handlers, call) => ({ domainId: call.params['domain_id'] }),
    run: (handlers, call) => handlers.show(call),
  }),
  op<DomainHandlers, DomainUpdate, Query>(DomainHandlers, {
    method: 'PATCH',
    path: DOMAIN,
    rule: admin('update_domain'),
    status: 200,
    body: domainUpdate,
    run: (handlers, call) => handlers.update(call),
  }),
  op<DomainHandlers, undefined, Query>(DomainHandlers, {
    method: 'DELETE',
    path: DOMAIN,
    rule: admin('delete_domain'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
