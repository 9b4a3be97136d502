/** The aggregates a provider belongs to: a plain list, from 1.19 on guarded by the provider's generation. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { type Call, op, type Reply } from '#libs/platform/http';
import type { ProviderFacts } from '#services/placement/domain';
import { RULES } from '../placement.space.js';
import { PlacementStore, STALE } from '../store.js';
import { type AnyCall, dashed, dated, Generation, Uuid } from '../values.wire.js';
import { jsonBody } from '../words.wire.js';

const List = Type.Array(Uuid, { uniqueItems: true });
const PlainList = jsonBody(List);
const Guarded = jsonBody(
  Type.Object({ aggregates: List, resource_provider_generation: Generation }, { additionalProperties: false }),
);

@Injectable()
export class AggregateHandlers {
  constructor(private readonly store: PlacementStore) {}

  async list(call: AnyCall, guarded: boolean): Promise<Reply> {
    return reply(call, (await this.store.provider(call.params['id']!)).facts, guarded);
  }

  async replace(call: Call<string[]>): Promise<Reply> {
    return reply(call, await this.write(call, call.body, undefined), false);
  }

  async replaceGuarded(call: Call<{ aggregates: string[]; resource_provider_generation: number }>): Promise<Reply> {
    return reply(call, await this.write(call, call.body.aggregates, call.body.resource_provider_generation), true);
  }

  private async write(call: AnyCall, ids: readonly string[], generation: number | undefined): Promise<ProviderFacts> {
    const { id } = await this.store.provider(call.params['id']!);
    const aggregates = ids.map(dashed);
    return this.store.providers.change(id, generation, { aggregates, quietly: generation === undefined, stale: STALE });
  }
}

const reply = (call: AnyCall, facts: ProviderFacts, guarded: boolean): Reply => ({
  headers: dated(call, facts.updatedAt),
  body: {
    aggregates: facts.aggregates,
    ...(guarded ? { resource_provider_generation: facts.generation } : {}),
  },
});

const PATH = '/resource_providers/:id/aggregates';

export const aggregateOps = [
  op(AggregateHandlers, {
    method: 'GET',
    path: PATH,
    since: '1.1',
    until: '1.18',
    rule: RULES.listAggregates,
    status: 200,
    run: (handlers, call) => handlers.list(call, false),
  }),
  op(AggregateHandlers, {
    method: 'GET',
    path: PATH,
    since: '1.19',
    rule: RULES.listAggregates,
    status: 200,
    run: (handlers, call) => handlers.list(call, true),
  }),
  op(AggregateHandlers, {
    method: 'PUT',
    path: PATH,
    since: '1.1',
    until: '1.18',
    rule: RULES.updateAggregates,
    status: 200,
    body: PlainList,
    run: (handlers, call) => handlers.replace(call),
  }),
  op(AggregateHandlers, {
    method: 'PUT',
    path: PATH,
    since: '1.19',
    rule: RULES.updateAggregates,
    status: 200,
    body: Guarded,
    run: (handlers, call) => handlers.replaceGuarded(call),
  }),
];
