import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { type Inventories, Provider } from '#services/placement/domain';
import { PlacementStore } from '../store.js';
import { type AnyCall, dated, located } from '../values.wire.js';
import { inventoriesOf, inventoriesView, inventoryOf, inventoryView, mayReserveAll } from './inventory.wire.js';

interface Given {
  readonly total: number;
  readonly reserved?: number;
}

@Injectable()
export class InventoryHandlers {
  constructor(private readonly store: PlacementStore) {}

  async list(call: AnyCall): Promise<Reply> {
    const provider = await this.store.provider(call.params['id']!);
    return { headers: dated(call, provider.facts.updatedAt), body: inventoriesView(provider) };
  }

  async show(call: AnyCall): Promise<Reply> {
    const provider = await this.store.provider(call.params['id']!);
    const inventory = provider.facts.inventories[call.params['class']!];
    if (!inventory) throw noInventory(call, provider);
    return { headers: dated(call, provider.facts.updatedAt), body: inventoryView(provider, inventory) };
  }

  async replaceAll(
    call: Call<{ resource_provider_generation: number; inventories: Record<string, Given> }>,
  ): Promise<Reply> {
    const { id } = await this.store.provider(call.params['id']!);
    await this.store.checkClasses(Object.keys(call.body.inventories), 'inventories');
    const inventories = inventoriesOf(call.body.inventories, mayReserveAll(call));
    const provider = await this.change(id, call.body.resource_provider_generation, inventories);
    return { headers: dated(call, provider.facts.updatedAt), body: inventoriesView(provider) };
  }

  async create(call: Call<Given & { resource_class: string; resource_provider_generation?: number }>): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    const { resource_class: name, resource_provider_generation: generation } = call.body;
    await this.store.checkClasses([name], 'inventory');
    if (known.facts.inventories[name]) throw fail.conflict(`Update conflict: inventory of ${name} exists already.`);
    const inventory = inventoryOf(name, call.body, mayReserveAll(call));
    const inventories = { ...known.facts.inventories, [name]: inventory };
    const provider = await this.change(known.id, generation ?? known.facts.generation, inventories);
    const headers = {
      ...located(call, `/resource_providers/${known.id}/inventories/${name}`),
      ...dated(call, provider.facts.updatedAt),
    };
    return { headers, body: inventoryView(provider, inventory) };
  }

  async replace(call: Call<Given & { resource_provider_generation: number }>): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    const name = call.params['class']!;
    if (!known.facts.inventories[name]) throw fail.invalid(`Cannot update inventory of ${name}: there is none.`);
    const inventory = inventoryOf(name, call.body, mayReserveAll(call));
    const inventories = { ...known.facts.inventories, [name]: inventory };
    const provider = await this.change(known.id, call.body.resource_provider_generation, inventories);
    return { headers: dated(call, provider.facts.updatedAt), body: inventoryView(provider, inventory) };
  }

  async remove(call: AnyCall): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    const { [call.params['class']!]: lost, ...inventories } = known.facts.inventories;
    if (!lost) throw noInventory(call, known);
    await this.change(known.id, known.facts.generation, inventories);
    return {};
  }

  async removeAll(call: AnyCall): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    await this.change(known.id, known.facts.generation, {});
    return {};
  }

  private async change(id: string, generation: number, inventories: Inventories): Promise<Provider> {
    return new Provider(await this.store.providers.change(id, generation, { inventories }));
  }
}

const noInventory = (call: AnyCall, provider: Provider): Error =>
  fail.notFound(`No inventory of class ${call.params['class']} for ${provider.id}`);
