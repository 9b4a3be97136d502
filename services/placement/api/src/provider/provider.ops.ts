import { op } from '#libs/platform/http';
import { RULES } from '../placement.space.js';
import { ProviderHandlers } from './provider.handlers.js';
import { ChangedProvider, NewProvider, ProviderQuery } from './provider.wire.js';

const ONE = '/resource_providers/:id';

export const providerOps = [
  op(ProviderHandlers, {
    method: 'GET',
    path: '/resource_providers',
    rule: RULES.listProviders,
    status: 200,
    query: ProviderQuery,
    run: (handlers, call) => handlers.list(call),
  }),
  op(ProviderHandlers, {
    method: 'POST',
    path: '/resource_providers',
    until: '1.19',
    rule: RULES.createProvider,
    status: 201,
    body: NewProvider,
    run: (handlers, call) => handlers.createQuietly(call),
  }),
  op(ProviderHandlers, {
    method: 'POST',
    path: '/resource_providers',
    since: '1.20',
    rule: RULES.createProvider,
    status: 200,
    body: NewProvider,
    run: (handlers, call) => handlers.createAndShow(call),
  }),
  op(ProviderHandlers, {
    method: 'GET',
    path: ONE,
    rule: RULES.showProvider,
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op(ProviderHandlers, {
    method: 'PUT',
    path: ONE,
    until: '1.36',
    rule: RULES.updateProvider,
    status: 200,
    body: ChangedProvider,
    run: (handlers, call) => handlers.update(call, false),
  }),
  op(ProviderHandlers, {
    method: 'PUT',
    path: ONE,
    since: '1.37',
    rule: RULES.updateProvider,
    status: 200,
    body: ChangedProvider,
    run: (handlers, call) => handlers.update(call, true),
  }),
  op(ProviderHandlers, {
    method: 'DELETE',
    path: ONE,
    rule: RULES.deleteProvider,
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
