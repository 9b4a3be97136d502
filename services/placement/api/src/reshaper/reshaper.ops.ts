/** Moves inventories and the allocations on them to other providers, in one stroke. */
import { Injectable } from '@nestjs/common';
import { type Static, Type } from 'typebox';
import { type Call, op, type Reply } from '#libs/platform/http';
import { classesOf, ManyConsumersBody, wishOf } from '../allocation/allocation.wire.js';
import { InventoriesBody, inventoriesOf } from '../inventory/inventory.wire.js';
import { RULES } from '../placement.space.js';
import { PlacementStore } from '../store.js';
import { UuidKey } from '../values.wire.js';
import { jsonBody } from '../words.wire.js';

const ReshapeBody = Type.Object(
  {
    inventories: Type.Record(UuidKey, InventoriesBody, { additionalProperties: false, minProperties: 1 }),
    allocations: Type.Unsafe<Static<typeof ManyConsumersBody>>({ ...ManyConsumersBody, minProperties: 0 }),
  },
  { additionalProperties: false },
);

@Injectable()
export class ReshaperHandlers {
  constructor(private readonly store: PlacementStore) {}

  async reshape(call: Call<Static<typeof ReshapeBody>>): Promise<Reply> {
    const moves = Object.entries(call.body.inventories).map(([id, given]) => ({
      providerId: id.toLowerCase(),
      generation: given.resource_provider_generation,
      inventories: inventoriesOf(given.inventories, id.toLowerCase(), true),
    }));
    const wishes = Object.entries(call.body.allocations).map(([id, given]) => wishOf(id, given));
    const offered = moves.flatMap((move) => Object.keys(move.inventories));
    await this.store.checkClasses([...new Set([...offered, ...classesOf(wishes)])], 'malformed reshaper data: ');
    await this.store.reshapes.reshape(moves, wishes);
    return {};
  }
}

export const reshaperOps = [
  op(ReshaperHandlers, {
    method: 'POST',
    path: '/reshaper',
    since: '1.30',
    rule: RULES.reshape,
    status: 204,
    body: jsonBody(ReshapeBody),
    run: (handlers, call) => handlers.reshape(call),
  }),
];
