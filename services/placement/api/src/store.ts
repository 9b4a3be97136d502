/** What the handlers work on, as one value of Nest's container. */
import { type Clock, fail, type Ids, isUuid } from '#libs/kernel';
import type { AllocationRepo, NamesRepo, ProviderRepo, ReshapeRepo, SnapshotKeeper } from '#services/placement/data';
import type { Provider, Snapshot } from '#services/placement/domain';

export class PlacementStore {
  constructor(
    readonly keeper: SnapshotKeeper,
    readonly providers: ProviderRepo,
    readonly allocations: AllocationRepo,
    readonly classes: NamesRepo,
    readonly traits: NamesRepo,
    readonly reshapes: ReshapeRepo,
    readonly means: { readonly clock: Clock; readonly ids: Ids },
  ) {}

  /** Everything committed before this call. */
  snapshot(): Promise<Snapshot> {
    return this.keeper.fresh();
  }

  /** The provider of that id, with everything committed before this call. Throws `notFound`. */
  async provider(id: string): Promise<Provider> {
    const provider = isUuid(id) ? (await this.snapshot()).find(id.toLowerCase()) : undefined;
    if (!provider) throw fail.notFound(`No resource provider with uuid ${id} found`);
    return provider;
  }

  /** Throws `invalid` for classes that do not exist. */
  async checkClasses(names: readonly string[], where: string): Promise<void> {
    const unknown = await this.classes.unknown(names);
    if (unknown.length) throw fail.invalid(`Unknown resource class in ${where}: ${unknown.join(', ')}`, BAD_VALUE);
  }

  /** Throws `invalid` for traits that do not exist. */
  async checkTraits(names: readonly string[]): Promise<void> {
    const unknown = await this.traits.unknown(names);
    if (unknown.length) throw fail.invalid(`No such trait(s): ${unknown.join(', ')}.`, BAD_VALUE);
  }
}

export const BAD_VALUE = { type: 'placement.query.bad_value' } as const;
