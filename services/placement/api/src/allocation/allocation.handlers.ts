import { Injectable } from '@nestjs/common';
import { fail, isUuidLike } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import type { ConsumerWish } from '#services/placement/data';
import { PlacementStore } from '../store.js';
import { type AnyCall, dashed, dated } from '../values.wire.js';
import {
  type ConsumerBody,
  classesOf,
  consumerShare,
  type ListBody,
  ownerView,
  wishOf,
  wishOfList,
} from './allocation.wire.js';

@Injectable()
export class AllocationHandlers {
  constructor(private readonly store: PlacementStore) {}

  async ofProvider(call: AnyCall): Promise<Reply> {
    const { id } = await this.store.provider(call.params['id']!);
    const held = await this.store.allocations.ofProvider(id);
    const allocations = Object.fromEntries(held.map((share) => [share.consumerId, consumerShare(call, share)]));
    const provider = await this.store.provider(id);
    const headers = dated(call, this.store.means.clock.now());
    return { headers, body: { allocations, resource_provider_generation: provider.facts.generation } };
  }

  async show(call: AnyCall): Promise<Reply> {
    const given = call.params['consumer'] ?? '';
    const id = isUuidLike(given) ? dashed(given) : undefined;
    const held = id === undefined ? [] : await this.store.allocations.ofConsumer(id);
    const consumer = id !== undefined && held.length ? await this.store.allocations.consumer(id) : undefined;
    const allocations = Object.fromEntries(
      held.map(({ providerId, generation, resources }) => [providerId, { generation, resources }]),
    );
    const headers = dated(call, this.store.means.clock.now());
    return { headers, body: { allocations, ...ownerView(call, consumer) } };
  }

  replaceList(call: Call<ListBody>): Promise<Reply> {
    return this.writeOne(wishOfList(consumerId(call), call.body));
  }

  replace(call: Call<ConsumerBody>): Promise<Reply> {
    return this.writeOne(wishOf(consumerId(call), call.body));
  }

  replaceMany(call: Call<Record<string, ConsumerBody>>): Promise<Reply> {
    const wishes = Object.entries(call.body).map(([id, given]) => wishOf(id, given));
    return this.write(wishes, 'Unable to allocate inventory ');
  }

  async remove(call: AnyCall): Promise<Reply> {
    const id = call.params['consumer'] ?? '';
    const known = isUuidLike(id) && (await this.store.allocations.remove(dashed(id)));
    if (!known) throw fail.notFound(`No allocations for consumer '${id.slice(0, 100)}'`);
    return {};
  }

  private writeOne(wish: ConsumerWish): Promise<Reply> {
    return this.write([wish], `Unable to allocate inventory for consumer ${wish.consumerId}: `);
  }

  private async write(wishes: readonly ConsumerWish[], unable: string): Promise<Reply> {
    await this.store.checkClasses(classesOf(wishes), unable);
    await this.store.allocations.write(wishes);
    return {};
  }
}

function consumerId(call: AnyCall): string {
  const id = call.params['consumer'] ?? '';
  if (!isUuidLike(id)) throw fail.invalid(`Malformed consumer_uuid: ${id.slice(0, 100)}`);
  return dashed(id);
}
