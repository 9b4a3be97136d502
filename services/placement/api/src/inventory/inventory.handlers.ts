import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { type Inventories, Provider } from '#services/placement/domain';
import { PlacementStore } from '../store.js';
import { type AnyCall, dated, explained, located } from '../values.wire.js';
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
    const given = call.body.inventories;
    await this.store.checkClasses(
      Object.keys(given),
      `Unknown resource class in inventory for resource provider ${id}: `,
    );
    const inventories = await explained(`Unable to update inventory for resource provider ${id}: `, () =>
      inventoriesOf(given, id, mayReserveAll(call)),
    );
    const provider = await this.change(id, call.body.resource_provider_generation, inventories, 'update conflict: ');
    return { headers: dated(call, provider.facts.updatedAt), body: inventoriesView(provider) };
  }

  async create(call: Call<Given & { resource_class: string; resource_provider_generation?: number }>): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    const { resource_class: name, resource_provider_generation: generation } = call.body;
    const unable = `Unable to create inventory for resource provider ${known.id}: `;
    await this.store.checkClasses([name], unable);
    if (known.facts.inventories[name]) {
      throw fail.conflict(`Update conflict: inventory of ${name} exists already.`, CONCURRENT);
    }
    const inventory = await explained(unable, () => inventoryOf(name, known.id, call.body, mayReserveAll(call)));
    const inventories = { ...known.facts.inventories, [name]: inventory };
    const provider = await this.change(
      known.id,
      generation ?? known.facts.generation,
      inventories,
      'Update conflict: ',
    );
    const headers = {
      ...located(call, `/resource_providers/${known.id}/inventories/${name}`),
      ...dated(call, provider.facts.updatedAt),
    };
    return { headers, body: inventoryView(provider, inventory) };
  }

  async replace(call: Call<Given & { resource_provider_generation: number }>): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    const name = call.params['class']!;
    const generation = call.body.resource_provider_generation;
    if (generation !== known.facts.generation) {
      throw fail.conflict('resource provider generation conflict', CONCURRENT);
    }
    const inventory = await explained(`Unable to update inventory for resource provider ${known.id}: `, () =>
      inventoryOf(name, known.id, call.body, mayReserveAll(call)),
    );
    if (!known.facts.inventories[name]) {
      throw fail.invalid(`No inventory record with resource class for resource provider ${known.id}: ${noneOf(name)}`);
    }
    const inventories = { ...known.facts.inventories, [name]: inventory };
    const provider = await this.change(known.id, generation, inventories, 'update conflict: ');
    return { headers: dated(call, provider.facts.updatedAt), body: inventoryView(provider, inventory) };
  }

  async remove(call: AnyCall): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    const name = call.params['class']!.slice(0, 255);
    const { [name]: lost, ...inventories } = known.facts.inventories;
    if (!lost) throw fail.notFound(`No inventory of class ${name} found for delete: ${noneOf(name)}`);
    const unable = `Unable to delete inventory of class ${name}: `;
    await this.change(known.id, known.facts.generation, inventories, unable, CONCURRENT.type);
    return {};
  }

  async removeAll(call: AnyCall): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    await this.change(known.id, known.facts.generation, {}, '');
    return {};
  }

  /** Before 1.5 there was no such thing, though the path was known. */
  removeNone(): never {
    throw fail.methodNotAllowed('The method DELETE is not allowed for this resource.');
  }

  /** `conflict`: what stands before the reason where it may not be so; `code`: what it is called, if not what it is. */
  private async change(
    id: string,
    generation: number,
    inventories: Inventories,
    conflict: string,
    code?: string,
  ): Promise<Provider> {
    const change = () => this.store.providers.change(id, generation, { inventories });
    return new Provider(await explained(conflict, change, 'conflict', code));
  }
}

const CONCURRENT = { type: 'placement.concurrent_update' } as const;

const noneOf = (name: string): string => `No inventory of class ${name.slice(0, 255)} found.`;
const noInventory = (call: AnyCall, provider: Provider): Error =>
  fail.notFound(`No inventory of class ${call.params['class']!.slice(0, 255)} for ${provider.id}`);
