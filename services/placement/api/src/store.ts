/** What the handlers work on, as one value of Nest's container. */
import { type Clock, fail, type Ids, isUuidLike } from '#libs/kernel';
import type { AllocationRepo, NamesRepo, ProviderRepo, ReshapeRepo, SnapshotKeeper } from '#services/placement/data';
import type { Provider, Snapshot } from '#services/placement/domain';
import { dashed } from './values.wire.js';

/** What is said where somebody else was faster. */
export const STALE = "Resource provider's generation already changed. Please update the generation and try again.";

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
    const provider = isUuidLike(id) ? (await this.snapshot()).find(dashed(id)) : undefined;
    if (!provider) throw fail.notFound(`No resource provider with uuid ${id.slice(0, 100)} found`);
    return provider;
  }

  /** Throws `invalid` for classes that do not exist, in a sentence that begins with what the caller says. */
  async checkClasses(names: readonly string[], said: string): Promise<void> {
    const [unknown] = await this.classes.unknown(names);
    if (unknown !== undefined) throw fail.invalid(`${said}No such resource class ${unknown.slice(0, 255)}.`);
  }

  /** Throws `invalid` for traits that do not exist. */
  async checkTraits(names: readonly string[], said = 'No such trait(s): ', end = '.'): Promise<void> {
    const unknown = await this.traits.unknown(names);
    if (unknown.length) throw fail.invalid(`${said}${unknown.join(', ').slice(0, 1000)}${end}`);
  }
}
