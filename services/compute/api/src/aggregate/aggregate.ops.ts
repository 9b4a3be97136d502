/** Aggregates of nodes: the operations, for administrators alone. */
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { ADMIN, rule } from '#libs/platform/policy';
import { admin } from '../compute.rules.js';
import { askerOf } from '../server/server-target.js';
import { AggregateHandlers } from './aggregate.handlers.js';
import {
  addHostBody,
  aggregateBody,
  imagesBody,
  madeAggregate,
  metadataBody,
  newAggregateBody,
  removeHostBody,
  shownAggregate,
} from './aggregate.wire.js';

/** Throws `invalid` for what is no whole number; one that is out of range names no aggregate. */
function idIn(call: { readonly params: Readonly<Record<string, string>> }): number {
  const text = call.params['id'] ?? '';
  if (!/^-?\d+$/.test(text)) throw fail.invalid(`Invalid input received: id must be an integer`);
  return /^-?\d{1,9}$/.test(text) ? Number(text) : -1;
}

const path = '/v2.1/os-aggregates/:id';
const action = { method: 'POST', path: `${path}/action`, status: 200 } as const;

const actions: readonly Op[] = [
  op(AggregateHandlers, {
    ...action,
    action: 'add_host',
    rule: admin('os-aggregates:add_host'),
    body: addHostBody,
    run: async (handlers, call) => ({
      body: { aggregate: shownAggregate(await handlers.addHost(idIn(call), call.body.add_host.host), call) },
    }),
  }),
  op(AggregateHandlers, {
    ...action,
    action: 'remove_host',
    rule: admin('os-aggregates:remove_host'),
    body: removeHostBody,
    run: async (handlers, call) => ({
      body: { aggregate: shownAggregate(await handlers.removeHost(idIn(call), call.body.remove_host.host), call) },
    }),
  }),
  op(AggregateHandlers, {
    ...action,
    action: 'set_metadata',
    rule: admin('os-aggregates:set_metadata'),
    body: metadataBody,
    run: async (handlers, call) => ({
      body: {
        aggregate: shownAggregate(await handlers.setMetadata(idIn(call), call.body.set_metadata.metadata), call),
      },
    }),
  }),
];

export const aggregateOps: readonly Op[] = [
  op(AggregateHandlers, {
    method: 'GET',
    path: '/v2.1/os-aggregates',
    rule: admin('os-aggregates:index'),
    status: 200,
    run: async (handlers, call) => ({
      body: { aggregates: (await handlers.list()).map((aggregate) => shownAggregate(aggregate, call)) },
    }),
  }),
  op(AggregateHandlers, {
    method: 'POST',
    path: '/v2.1/os-aggregates',
    rule: admin('os-aggregates:create'),
    status: 200,
    body: newAggregateBody,
    run: async (handlers, call) => {
      const { name, availability_zone: zone = null } = call.body.aggregate;
      return { body: { aggregate: madeAggregate(await handlers.create(name, zone), call) } };
    },
  }),
  op(AggregateHandlers, {
    method: 'GET',
    path,
    rule: admin('os-aggregates:show'),
    status: 200,
    run: async (handlers, call) => ({
      body: { aggregate: shownAggregate(await handlers.find(idIn(call)), call) },
    }),
  }),
  op(AggregateHandlers, {
    method: 'PUT',
    path,
    rule: admin('os-aggregates:update'),
    status: 200,
    body: aggregateBody,
    run: async (handlers, call) => {
      const { name, availability_zone: zone } = call.body.aggregate;
      const change = { ...(name === undefined ? {} : { name }), ...(zone === undefined ? {} : { zone }) };
      return { body: { aggregate: shownAggregate(await handlers.update(idIn(call), change), call) } };
    },
  }),
  op(AggregateHandlers, {
    method: 'DELETE',
    path,
    rule: admin('os-aggregates:delete'),
    status: 200,
    run: async (handlers, call) => {
      await handlers.remove(idIn(call));
      return {};
    },
  }),
  ...actions,
  op(AggregateHandlers, {
    method: 'POST',
    path: `${path}/images`,
    since: '2.81',
    rule: rule('compute:aggregates:images', ADMIN),
    status: 202,
    body: imagesBody,
    run: async (handlers, call) => {
      const images = call.body.cache.map((image) => image.id.toLowerCase());
      await handlers.holdImages(idIn(call), images, askerOf(call));
      return {};
    },
  }),
];
