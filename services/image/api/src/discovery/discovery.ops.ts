import { op } from '#libs/platform/http';
import { RULES } from '../image/image.rules.js';
import { DiscoveryHandlers } from './discovery.handlers.js';

const versions = (path: string, status: number) =>
  op(DiscoveryHandlers, {
    method: 'GET',
    path,
    rule: 'public',
    status,
    run: (handlers, call) => handlers.versions(call),
  });

export const discoveryOps = [
  versions('/', 300),
  versions('/versions', 200),
  versions('/v2', 300),
  op(DiscoveryHandlers, {
    method: 'GET',
    path: '/v2/info/import',
    rule: RULES.reader,
    status: 200,
    run: (handlers) => handlers.importMethods(),
  }),
  op(DiscoveryHandlers, {
    method: 'GET',
    path: '/v2/info/stores',
    rule: RULES.reader,
    status: 200,
    run: (handlers) => handlers.stores(),
  }),
  op(DiscoveryHandlers, {
    method: 'GET',
    path: '/v2/info/usage',
    rule: RULES.reader,
    status: 200,
    run: (handlers, call) => handlers.usage(call),
  }),
];
