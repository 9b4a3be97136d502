/**
 * All providers at one moment. Immutable: a change makes a new snapshot that shares all unchanged providers, so a
 * selection never sees half of a change. Trees and aggregates are indexed when first asked for.
 */
import { SHARING_TRAIT } from './names.js';
import type { Provider } from './provider.js';

const placesOf = (providers: readonly Provider[]): Map<string, number> =>
  new Map(providers.map((provider, place) => [provider.id, place]));

function treesOf(providers: readonly Provider[]): Map<string, Provider[]> {
  const trees = Map.groupBy(providers, (provider) => provider.facts.rootId);
  for (const [rootId, tree] of trees)
    if (tree[0]!.id !== rootId) tree.sort((a, b) => Number(b.id === rootId) - Number(a.id === rootId));
  return trees;
}

export class Snapshot {
  #trees: Map<string, Provider[]> | undefined;
  #sharing: boolean | undefined;
  #members: Map<string, Provider[]> | undefined;
  #plain: boolean | undefined;

  private constructor(
    private readonly providers: readonly Provider[],
    /** Where each is; shared with later snapshots, which only append, so a place beyond our end is not ours. */
    private readonly places: Map<string, number>,
  ) {}

  static of(providers: readonly Provider[]): Snapshot {
    return new Snapshot(providers, placesOf(providers));
  }

  /** The next snapshot: some replaced or added, some gone. */
  with(changed: readonly Provider[], gone: readonly string[] = []): Snapshot {
    const lost = new Set(gone.filter((id) => this.find(id) !== undefined));
    if (lost.size) return Snapshot.of(this.providers.filter((provider) => !lost.has(provider.id))).with(changed);
    if (!changed.length) return this;
    const providers = this.providers.slice();
    // An index that a later snapshot has grown is left to that one.
    const grown = this.places.size > providers.length && changed.some((each) => !this.find(each.id));
    const places = grown ? placesOf(providers) : this.places;
    for (const provider of changed) {
      const place = places.get(provider.id);
      if (place !== undefined) providers[place] = provider;
      else places.set(provider.id, providers.push(provider) - 1);
    }
    return new Snapshot(providers, places);
  }

  get size(): number {
    return this.providers.length;
  }

  find(id: string): Provider | undefined {
    const place = this.places.get(id);
    return place === undefined ? undefined : this.providers[place];
  }

  named(name: string): Provider | undefined {
    return this.providers.find((provider) => provider.name === name);
  }

  /** In no particular order. */
  all(): readonly Provider[] {
    return this.providers;
  }

  /** Every provider of the tree with that root, the root first. */
  tree(rootId: string): readonly Provider[] {
    this.#trees ??= treesOf(this.all());
    return this.#trees.get(rootId) ?? [];
  }

  roots(): readonly Provider[] {
    return this.all().filter((provider) => provider.facts.parentId === null);
  }

  members(aggregate: string): readonly Provider[] {
    if (!this.#members) {
      this.#members = new Map();
      for (const provider of this.all()) {
        for (const each of provider.aggregates) {
          const known = this.#members.get(each);
          if (known) known.push(provider);
          else this.#members.set(each, [provider]);
        }
      }
    }
    return this.#members.get(aggregate) ?? [];
  }

  /** Providers outside the tree that serve it through an aggregate of one of its members. */
  sharersOf(tree: readonly Provider[]): Provider[] {
    this.#sharing ??= this.all().some((provider) => provider.traits.has(SHARING_TRAIT));
    if (!this.#sharing) return [];
    const rootId = tree[0]?.facts.rootId;
    const aggregates = new Set(tree.flatMap((provider) => [...provider.aggregates]));
    const sharers = [...aggregates].flatMap((aggregate) => this.members(aggregate));
    const foreign = sharers.filter(
      (provider) => provider.facts.rootId !== rootId && provider.traits.has(SHARING_TRAIT),
    );
    return [...new Set(foreign)];
  }

  /** No trees of more than one provider, and nobody shares: each provider stands for itself. */
  get isPlain(): boolean {
    this.#plain ??= this.all().every(
      (provider) => provider.facts.parentId === null && !provider.traits.has(SHARING_TRAIT),
    );
    return this.#plain;
  }
}
