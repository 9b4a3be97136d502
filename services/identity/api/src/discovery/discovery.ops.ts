import { Injectable } from '@nestjs/common';
import { type Op, op } from '#libs/platform/http';
import { versionDocument, versionList } from './discovery.wire.js';

@Injectable()
export class DiscoveryHandlers {}

const shown = (base: string) => ({ headers: { Vary: 'X-Auth-Token', Location: `${base}/v3/` } });

export const discoveryOps: readonly Op[] = [
  op(DiscoveryHandlers, {
    method: 'GET',
    path: '/',
    rule: 'public',
    status: 300,
    run: (_handlers, { base }) => ({ ...shown(base), body: versionList(base) }),
  }),
  op(DiscoveryHandlers, {
    method: 'GET',
    path: '/v3',
    rule: 'public',
    status: 200,
    run: (_handlers, { base }) => ({ headers: { Vary: 'X-Auth-Token' }, body: versionDocument(base) }),
  }),
];
