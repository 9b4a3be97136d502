import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import type { Provider, Snapshot } from '#services/placement/domain';
import { type AggregateFilter, parseUuid, type TraitFilter } from '../filter.wire.js';
import { PlacementStore } from '../store.js';
import { type AnyCall, dated, latest, located } from '../values.wire.js';
import { filtersOf, type ProviderFilters, providerView } from './provider.wire.js';

export interface ProviderBody {
  readonly name: string;
  readonly uuid?: string;
  readonly parent_provider_uuid?: string | null;
}

@Injectable()
export class ProviderHandlers {
  constructor(private readonly store: PlacementStore) {}

  async list(call: Call<undefined, ProviderFilters>): Promise<Reply> {
    const { query } = call;
    const { traits, aggregates, resources } = filtersOf(call);
    await this.store.checkTraits([...traits.required.flat(), ...traits.forbidden]);
    await this.store.checkClasses(
      resources.map(([name]) => name),
      'resources parameter',
    );
    const snapshot = await this.store.snapshot();
    const found = scope(snapshot, query).filter(
      (provider) =>
        (query.name === undefined || provider.name === query.name) &&
        resources.every(([name, amount]) => provider.takes(name, amount)) &&
        hasTraits(provider, traits) &&
        isMember(provider, aggregates, snapshot),
    );
    const at = latest(
      found.map((provider) => provider.facts.updatedAt),
      this.store.means.clock.now(),
    );
    return {
      headers: dated(call, at),
      body: { resource_providers: found.map((provider) => providerView(call, provider)) },
    };
  }

  async show(call: AnyCall): Promise<Reply> {
    const provider = await this.store.provider(call.params['id']!);
    return { headers: dated(call, provider.facts.updatedAt), body: providerView(call, provider) };
  }

  async create(call: Call<ProviderBody>): Promise<string> {
    const { name, uuid, parent_provider_uuid: parent } = call.body;
    const id = uuid?.toLowerCase() ?? this.store.means.ids.uuid();
    if (parent?.toLowerCase() === id) throw fail.invalid('parent provider UUID cannot be same as UUID.');
    await this.store.providers.create({ id, name, parentId: parent?.toLowerCase() ?? null });
    return id;
  }

  /** Before 1.20 the answer has no body. */
  async createQuietly(call: Call<ProviderBody>): Promise<Reply> {
    const id = await this.create(call);
    return { headers: { ...located(call, `/resource_providers/${id}`), ...dated(call, this.store.means.clock.now()) } };
  }

  async createAndShow(call: Call<ProviderBody>): Promise<Reply> {
    const id = await this.create(call);
    const provider = await this.store.provider(id);
    const headers = { ...located(call, `/resource_providers/${id}`), ...dated(call, provider.facts.updatedAt) };
    return { headers, body: providerView(call, provider) };
  }

  /** `moves`: whether a provider that has a parent may get another one, or none. */
  async update(call: Call<ProviderBody>, moves: boolean): Promise<Reply> {
    const known = await this.store.provider(call.params['id']!);
    const parent = call.body.parent_provider_uuid === null ? null : call.body.parent_provider_uuid?.toLowerCase();
    const { parentId } = known.facts;
    if (!moves && parentId !== null && parent !== undefined && parent !== parentId) {
      throw fail.invalid(
        `Unable to save resource provider ${known.id}: re-parenting a provider is not currently allowed.`,
      );
    }
    await this.store.providers.update(known.id, call.body.name, parent === parentId ? undefined : parent);
    const provider = await this.store.provider(known.id);
    return { headers: dated(call, provider.facts.updatedAt), body: providerView(call, provider) };
  }

  async remove(call: AnyCall): Promise<Reply> {
    const { id } = await this.store.provider(call.params['id']!);
    await this.store.providers.remove(id);
    return {};
  }
}

/** A uuid or a tree names few providers; the others need not be looked at. */
function scope(snapshot: Snapshot, query: ProviderFilters): readonly Provider[] {
  const only = query.uuid === undefined ? undefined : snapshot.find(parseUuid(query.uuid, 'uuid'));
  if (query.uuid !== undefined && !only) return [];
  if (query.in_tree === undefined) return only ? [only] : snapshot.all();
  const root = snapshot.find(parseUuid(query.in_tree, 'in_tree'))?.facts.rootId;
  const tree = root === undefined ? [] : snapshot.tree(root);
  return only ? tree.filter((provider) => provider === only) : tree;
}

const hasTraits = (provider: Provider, { required, forbidden }: TraitFilter): boolean =>
  required.every((any) => any.some((trait) => provider.traits.has(trait))) &&
  forbidden.every((trait) => !provider.traits.has(trait));

/** An aggregate of the root counts for the tree when it is excluded. */
function isMember(provider: Provider, { memberOf, notMemberOf }: AggregateFilter, snapshot: Snapshot): boolean {
  const root = snapshot.find(provider.facts.rootId);
  return (
    memberOf.every((any) => any.some((each) => provider.aggregates.has(each))) &&
    !notMemberOf.some((each) => provider.aggregates.has(each) || root?.aggregates.has(each))
  );
}
