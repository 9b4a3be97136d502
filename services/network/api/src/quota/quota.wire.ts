/** Quotas on the wire. */
import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { type Amounts, RESOURCES, type Usage } from '#services/network/domain';
import { attributes, Flag, just, maybe } from '../values.wire.js';

const Limit = Type.Unsafe<unknown>({ type: ['integer', 'string'] });

export type QuotaBody = Readonly<Record<string, unknown>> & { readonly check_limit?: Static<typeof Flag> };

export const updateQuotaBody = body(
  just(
    'quota',
    attributes({
      ...Object.fromEntries(RESOURCES.map((name) => [name, maybe(Limit)])),
      // Whether limits may be below what is used already; `force`, the opposite, is what happens by itself.
      check_limit: maybe(Flag),
      force: maybe(Flag),
      tenant_id: maybe(Type.String()),
      project_id: maybe(Type.String()),
    }),
  ),
);

export const limitsView = (limits: Amounts): Record<string, unknown> => ({ ...limits });

export const detailsView = (usage: Readonly<Record<string, Usage>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(usage).map(([name, { limit, used }]) => [name, { limit, used, reserved: 0 }]));
