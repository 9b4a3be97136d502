/** How much is taken: of one provider, or by one project. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { type Call, op, type Reply } from '#libs/platform/http';
import { during } from '#libs/wire';
import { RULES } from '../placement.space.js';
import { PlacementStore } from '../store.js';
import { type AnyCall, dated } from '../values.wire.js';
import { queryString } from '../words.wire.js';

interface UsageQuery {
  readonly project_id: string;
  readonly user_id?: string;
  readonly consumer_type?: string;
}

const Filters = queryString(
  Type.Object(
    {
      project_id: Type.String({ minLength: 1, maxLength: 255 }),
      user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      consumer_type: Type.Optional(
        Type.String({
          pattern: '^[A-Z0-9_]+$|^all|^unknown$',
          minLength: 1,
          maxLength: 255,
          ...during({ since: '1.38' }),
        }),
      ),
    },
    { additionalProperties: false },
  ),
);

@Injectable()
export class UsageHandlers {
  constructor(private readonly store: PlacementStore) {}

  async ofProvider(call: AnyCall): Promise<Reply> {
    const { facts } = await this.store.provider(call.params['id']!);
    const usages = Object.fromEntries(Object.keys(facts.inventories).map((name) => [name, facts.used[name] ?? 0]));
    return {
      headers: dated(call, facts.updatedAt),
      body: { resource_provider_generation: facts.generation, usages },
    };
  }

  async ofProject(call: Call<undefined, UsageQuery>): Promise<Reply> {
    const usages: Record<string, number> = {};
    for (const group of await this.groups(call)) add(usages, group.usages);
    return { headers: dated(call, this.store.means.clock.now()), body: { usages } };
  }

  /** From 1.38 on: by the type of the consumers; `all` adds them up, `unknown` are those of old. */
  async byType(call: Call<undefined, UsageQuery>): Promise<Reply> {
    const wanted = call.query.consumer_type;
    const usages: Record<string, Record<string, number>> = {};
    for (const { type, consumers, usages: units } of await this.groups(call)) {
      const name = wanted === 'all' ? 'all' : (type ?? 'unknown');
      if (wanted !== undefined && wanted !== 'all' && wanted !== name) continue;
      usages[name] ??= { consumer_count: 0 };
      add(usages[name], { consumer_count: consumers, ...units });
    }
    return { headers: dated(call, this.store.means.clock.now()), body: { usages } };
  }

  private groups(call: Call<undefined, UsageQuery>) {
    return this.store.allocations.usages(call.query.project_id, call.query.user_id);
  }
}

function add(sum: Record<string, number>, units: Readonly<Record<string, number>>): void {
  for (const [name, amount] of Object.entries(units)) sum[name] = (sum[name] ?? 0) + amount;
}

const usages = {
  method: 'GET',
  path: '/usages',
  rule: RULES.usages,
  status: 200,
  query: Filters,
  load: async (_handlers: UsageHandlers, call: Call<undefined, UsageQuery>) => ({ projectId: call.query.project_id }),
  shared: () => true,
} as const;

export const usageOps = [
  op(UsageHandlers, {
    method: 'GET',
    path: '/resource_providers/:id/usages',
    rule: RULES.providerUsages,
    status: 200,
    run: (handlers, call) => handlers.ofProvider(call),
  }),
  op(UsageHandlers, { ...usages, since: '1.9', until: '1.37', run: (handlers, call) => handlers.ofProject(call) }),
  op(UsageHandlers, { ...usages, since: '1.38', run: (handlers, call) => handlers.byType(call) }),
];
