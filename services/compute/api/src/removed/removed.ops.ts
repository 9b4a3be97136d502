/** Operations that upstream took away. Whoever still asks is told so, instead of being left to search for a typing error. */
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Method } from '#libs/platform/http';
import { type Op, op } from '#libs/platform/http';
import { everyone, rule } from '#libs/platform/policy';

@Injectable()
export class RemovedHandlers {}

/** `METHOD METHOD path`, below /v2.1. */
const REMOVED = [
  'GET POST /os-agents',
  'PUT DELETE /os-agents/:id',
  'GET POST /os-cells',
  'GET /os-cells/capacities',
  'GET /os-cells/detail',
  'GET /os-cells/info',
  'POST /os-cells/sync_instances',
  'GET PUT DELETE /os-cells/:id',
  'GET /os-cells/:id/capacities',
  'POST /os-certificates',
  'GET /os-certificates/:id',
  'GET POST /os-cloudpipe',
  'PUT /os-cloudpipe/:id',
  'GET /os-fixed-ips/:id',
  'POST /os-fixed-ips/:id/action',
  'GET /os-floating-ip-dns',
  'PUT DELETE /os-floating-ip-dns/:id',
  'GET PUT DELETE /os-floating-ip-dns/:id/entries/:entry',
  'GET POST /os-floating-ips-bulk',
  'GET PUT /os-floating-ips-bulk/:id',
  'GET /os-fping',
  'GET /os-fping/:id',
  'POST /os-networks',
  'POST /os-networks/add',
  'DELETE /os-networks/:id',
  'POST /os-networks/:id/action',
  'GET POST /os-security-group-default-rules',
  'GET DELETE /os-security-group-default-rules/:id',
  'POST /os-tenant-networks',
  'DELETE /os-tenant-networks/:id',
  'GET POST /servers/:id/consoles',
  'GET DELETE /servers/:id/consoles/:console',
  'GET /servers/:id/os-virtual-interfaces',
] as const;
const ACTIONS = ['resetNetwork'] as const;

const rule410 = rule('os_compute_api:removed', everyone);

const gone = (method: Method, path: string, action?: string): Op =>
  op(RemovedHandlers, {
    method,
    path: `/v2.1${path}`,
    ...(action === undefined ? {} : { action }),
    rule: rule410,
    status: 410,
    run: () => {
      throw fail.gone('This API has been removed.');
    },
  });

export const removedOps: readonly Op[] = [
  ...REMOVED.flatMap((line) => {
    const words = line.split(' ');
    const path = words.pop()!;
    return words.map((method) => gone(method as Method, path));
  }),
  ...ACTIONS.map((action) => gone('POST', '/servers/:id/action', action)),
];
