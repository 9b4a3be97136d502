import { Type } from 'typebox';
import { op } from '#libs/platform/http';
import { RULES } from '../placement.space.js';
import { Generation } from '../values.wire.js';
import { jsonBody, queryString } from '../words.wire.js';
import { TraitHandlers } from './trait.handlers.js';

const Filters = queryString(
  Type.Object(
    { name: Type.Optional(Type.String()), associated: Type.Optional(Type.String()) },
    { additionalProperties: false },
  ),
);
const Name = Type.String({ minLength: 1, maxLength: 255 });
const Replacement = jsonBody(
  Type.Object({ traits: Type.Array(Name), resource_provider_generation: Generation }, { additionalProperties: false }),
);
const OF_PROVIDER = '/resource_providers/:id/traits';

export const traitOps = [
  op(TraitHandlers, {
    method: 'GET',
    path: '/traits',
    since: '1.6',
    rule: RULES.listTraits,
    status: 200,
    query: Filters,
    run: (handlers, call) => handlers.list(call),
  }),
  op(TraitHandlers, {
    method: 'GET',
    path: '/traits/:name',
    since: '1.6',
    rule: RULES.showTrait,
    status: 204,
    run: (handlers, call) => handlers.show(call),
  }),
  op(TraitHandlers, {
    method: 'PUT',
    path: '/traits/:name',
    since: '1.6',
    rule: RULES.updateTrait,
    status: 201,
    run: (handlers, call) => handlers.ensure(call),
  }),
  op(TraitHandlers, {
    method: 'DELETE',
    path: '/traits/:name',
    since: '1.6',
    rule: RULES.deleteTrait,
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
  op(TraitHandlers, {
    method: 'GET',
    path: OF_PROVIDER,
    since: '1.6',
    rule: RULES.listProviderTraits,
    status: 200,
    run: (handlers, call) => handlers.ofProvider(call),
  }),
  op(TraitHandlers, {
    method: 'PUT',
    path: OF_PROVIDER,
    since: '1.6',
    rule: RULES.updateProviderTraits,
    status: 200,
    body: Replacement,
    run: (handlers, call) => handlers.replace(call),
  }),
  op(TraitHandlers, {
    method: 'DELETE',
    path: OF_PROVIDER,
    since: '1.6',
    rule: RULES.deleteProviderTraits,
    status: 204,
    run: (handlers, call) => handlers.clear(call),
  }),
];
