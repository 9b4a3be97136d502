/** Quotas on the wire. */
import { Type } from 'typebox';
import { body } from '#libs/wire';
import { type Amounts, RESOURCES, type Usage } from '#services/network/domain';
import { attributes, just, maybe } from '../values.wire.js';

const Limit = Type.Unsafe<unknown>({ type: ['integer', 'string'] });

export const updateQuotaBody = body(
  just(
    'quota',
    attributes({
      ...Object.fromEntries(RESOURCES.map((name) => [name, maybe(Limit)])),
      tenant_id: maybe(Type.String()),
      project_id: maybe(Type.String()),
    }),
  ),
);

export const limitsView = (limits: Amounts): Record<string, unknown> => ({ ...limits });

export const detailsView = (usage: Readonly<Record<string, Usage>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(usage).map(([name, { limit, used }]) => [name, { limit, used, reserved: 0 }]));
