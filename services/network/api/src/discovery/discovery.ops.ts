import { op } from '#libs/platform/http';
import type { Rule } from '#libs/platform/policy';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { DiscoveryHandlers } from './discovery.handlers.js';

type Run = (handlers: DiscoveryHandlers, call: AnyCall) => ReturnType<DiscoveryHandlers['versions']>;

const read = (path: string, rule: Rule | 'public', run: Run) =>
  op(DiscoveryHandlers, { method: 'GET', path, rule, status: 200, run });

export const discoveryOps = [
  read('/', 'public', (handlers, call) => handlers.versions(call)),
  read('/v2.0', 'public', (handlers, call) => handlers.resources(call)),
  read('/v2.0/extensions', R.getExtension, (handlers) => handlers.extensions()),
  read('/v2.0/extensions/:id', R.getExtension, (handlers, call) => handlers.extension(call)),
];
