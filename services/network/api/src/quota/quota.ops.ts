import { op } from '#libs/platform/http';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { QuotaHandlers, type QuotaTarget } from './quota.handlers.js';
import { updateQuotaBody } from './quota.wire.js';

const load = async (handlers: QuotaHandlers, call: AnyCall): Promise<QuotaTarget> => handlers.target(call);
/** Everyone knows that a project has quotas: asking for another's is forbidden, not unknown. */
const shared = (): boolean => true;

const read = (path: string, run: (handlers: QuotaHandlers, target: QuotaTarget) => ReturnType<QuotaHandlers['show']>) =>
  op(QuotaHandlers, {
    method: 'GET',
    path,
    rule: R.getQuota,
    status: 200,
    load,
    shared,
    run: (handlers, _call, target) => run(handlers, target),
  });

const own = (word: 'tenant' | 'project') =>
  op(QuotaHandlers, {
    method: 'GET',
    path: `/v2.0/quotas/${word}`,
    rule: R.getQuota,
    status: 200,
    run: (handlers, call) => handlers.own(call, word),
  });

export const quotaOps = [
  op(QuotaHandlers, {
    method: 'GET',
    path: '/v2.0/quotas',
    rule: R.listQuotas,
    status: 200,
    run: (handlers) => handlers.list(),
  }),
  own('tenant'),
  own('project'),
  read('/v2.0/quotas/:id', (handlers, target) => handlers.show(target)),
  read('/v2.0/quotas/:id/default', async (handlers) => handlers.defaults()),
  read('/v2.0/quotas/:id/details', (handlers, target) => handlers.details(target)),
  op(QuotaHandlers, {
    method: 'PUT',
    path: '/v2.0/quotas/:id',
    rule: R.updateQuota,
    status: 200,
    body: updateQuotaBody,
    load,
    shared,
    run: (handlers, call, target) => handlers.update(call, target),
  }),
  op(QuotaHandlers, {
    method: 'DELETE',
    path: '/v2.0/quotas/:id',
    rule: R.deleteQuota,
    status: 204,
    load,
    shared,
    run: (handlers, _call, target) => handlers.reset(target),
  }),
];
