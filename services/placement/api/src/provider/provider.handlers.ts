import { Injectable } from '@nestjs/common';
import { fail, isUuidLike } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import type { Provider, Snapshot } from '#services/placement/domain';
import type { AggregateFilter, TraitFilter } from '../filter.wire.js';
import { PlacementStore } from '../store.js';
import { type AnyCall, dashed, dated, explained, latest, located } from '../values.wire.js';
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
    await this.store.checkTraits(
      [...traits.required.flat(), ...traits.forbidden],
      'Invalid trait(s) in "required" parameter: No such trait(s): ',
    );
    await this.store.checkClasses(
      resources.map(([name]) => name),
      'Invalid resource class in resources parameter: ',
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
    const id = uuid === undefined ? this.store.means.ids.uuid() : dashed(uuid);
    const parentId = parent ? dashed(parent) : null;
    const create = () => {
      if (parentId === id) throw fail.invalid(`Object action create failed because: ${OWN_PARENT}`);
      return this.store.providers.create({ id, name, parentId });
    };
    await onInvalid(`Unable to create resource provider "${name}", ${id}: `, create);
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
    const { parent_provider_uuid: given } = call.body;
    const parent = given ? dashed(given) : given;
    const { parentId } = known.facts;
    const update = () => {
      if (!moves && parentId !== null && parent !== undefined && parent !== parentId) {
        const what = parent === null ? 'un-parenting' : 're-parenting';
        throw fail.invalid(`Object action update failed because: ${what} a provider is not currently allowed.`);
      }
      return this.store.providers.update(known.id, call.body.name, parent === parentId ? undefined : parent);
    };
    await onInvalid(`Unable to save resource provider ${known.id}: `, update);
    const provider = await this.store.provider(known.id);
    return { headers: dated(call, provider.facts.updatedAt), body: providerView(call, provider) };
  }

  async remove(call: AnyCall): Promise<Reply> {
    const id = call.params['id']!;
    if (!isUuidLike(id)) throw fail.notFound(`No resource provider with uuid ${id.slice(0, 100)} found for delete`);
    await this.store.providers.remove(dashed(id));
    return {};
  }
}

const OWN_PARENT =
  'parent provider UUID cannot be same as UUID. Please set parent provider UUID to None if there is no parent.';

/** What can never be is told with what was tried; a conflict speaks for itself. */
const onInvalid = (trying: string, work: () => Promise<void>): Promise<void> => explained(trying, work, 'invalid');

/** A uuid or a tree names few providers; the others need not be looked at. */
function scope(snapshot: Snapshot, query: ProviderFilters): readonly Provider[] {
  const only = query.uuid === undefined ? undefined : snapshot.find(dashed(query.uuid));
  if (query.uuid !== undefined && !only) return [];
  if (query.in_tree === undefined) return only ? [only] : snapshot.all();
  const root = snapshot.find(dashed(query.in_tree))?.facts.rootId;
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
