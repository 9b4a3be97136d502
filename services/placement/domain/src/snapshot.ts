/**
 * All providers at one moment. Immutable: a change makes a new snapshot that shares all unchanged providers, so a
 * selection never sees half of a change. Trees, aggregates and names are indexed when first asked for.
 */
import { SHARING_TRAIT } from './names.js';
import type { Provider } from './provider.js';

export class Snapshot {
  #trees: Map<string, Provider[]> | undefined;
  #members: Map<string, Provider[]> | undefined;
  #byName: Map<string, Provider> | undefined;
  #ordered: readonly Provider[] | undefined;
  #plain: boolean | undefined;

  constructor(private readonly byId: ReadonlyMap<string, Provider>) {}

  get size(): number {
    return this.byId.size;
  }

  find(id: string): Provider | undefined {
    return this.byId.get(id);
  }

  named(name: string): Provider | undefined {
    this.#byName ??= new Map(this.all().map((provider) => [provider.name, provider]));
    return this.#byName.get(name);
  }

  /** In no particular order. */
  all(): readonly Provider[] {
    this.#ordered ??= [...this.byId.values()];
    return this.#ordered;
  }

  /** Every provider of the tree with that root, the root first. */
  tree(rootId: string): readonly Provider[] {
    this.#trees ??= Map.groupBy(this.all(), (provider) => provider.facts.rootId);
    const tree = this.#trees.get(rootId) ?? [];
    return tree.length < 2 ? tree : [...tree].sort((a, b) => Number(b.id === rootId) - Number(a.id === rootId));
  }

  roots(): readonly Provider[] {
    return this.all().filter((provider) => provider.facts.parentId === null);
  }

  children(id: string): readonly Provider[] {
    const root = this.find(id)?.facts.rootId;
    return root === undefined ? [] : this.tree(root).filter((provider) => provider.facts.parentId === id);
  }

  /** A provider and everything below it. */
  subtree(id: string): readonly Provider[] {
    const self = this.find(id);
    return self ? [self, ...this.children(id).flatMap((child) => this.subtree(child.id))] : [];
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
    if (this.isPlain) return [];
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
