/**
 * The candidates of one tree, searched depth first: one provider after the other is chosen, and a choice that breaks a rule
 * is left before anything is built on it. So a limit ends the search early, and what can not be costs little to find out.
 */
import {
  type Candidate,
  type CandidateRequest,
  hasTraits,
  inScope,
  meets,
  type RequestGroup,
  takesAll,
} from './candidate-request.js';
import type { Amounts } from './inventory.js';
import type { Provider } from './provider.js';
import type { Snapshot } from './snapshot.js';

/** Hostile requests would ask for millions: so many candidates of one tree are told, and so many choices tried, at most. */
const MAX_CANDIDATES = 10_000;
const MAX_TRIES = 200_000;

/** One choice to make: a provider for one class of the unnamed group, or for all of a named one. */
export interface Wish {
  readonly group: RequestGroup;
  readonly wanted: readonly (readonly [name: string, amount: number])[];
  /** The same; one object in all candidates, so that it is put into words once. */
  readonly amounts: Amounts;
  /** The last of its group: the unnamed group's traits are looked at then. */
  readonly isLast: boolean;
  /** Places of choices that must be in one subtree, of which this is the last. */
  readonly subtrees: readonly (readonly number[])[];
}

/** In the order in which they are made. */
export function wishesOf({ groups, sameSubtree }: CandidateRequest): Wish[] {
  const wishes = groups.flatMap((group) => {
    const wanted = Object.entries(group.resources);
    const parts = group.suffix === '' ? wanted.map((one) => [one]) : [wanted];
    return parts.map((part, index) => ({
      ...{ group, wanted: part, amounts: Object.fromEntries(part), isLast: index + 1 === parts.length },
    }));
  });
  const places = sameSubtree.map((suffixes) =>
    wishes.flatMap(({ group: { suffix } }, place) => (suffix !== '' && suffixes.includes(suffix) ? [place] : [])),
  );
  return wishes.map((wish, place) => ({ ...wish, subtrees: places.filter((each) => each.at(-1) === place) }));
}

/** Offers each candidate of the root's tree until `take` says that it is enough; returns whether it did. */
export function searchTree(
  snapshot: Snapshot,
  request: CandidateRequest,
  wishes: readonly Wish[],
  root: Provider,
  take: (candidate: Candidate) => boolean,
): boolean {
  const tree = snapshot.tree(root.id);
  const sharers = snapshot.sharersOf(tree);
  const pool = sharers.length ? [...tree, ...sharers] : tree;
  const takers: Provider[][] = [];
  for (const wish of wishes) {
    const some = takersOf(snapshot, wish, pool, root);
    if (!some.length) return false;
    takers.push(some);
  }
  return new Search(snapshot, request, wishes, takers, root, take).run();
}

/** Those of the pool that have it, each taken by itself. */
function takersOf(snapshot: Snapshot, { group, wanted }: Wish, pool: readonly Provider[], root: Provider): Provider[] {
  const takers: Provider[] = [];
  const onlyRoot = group.inTree === undefined ? undefined : snapshot.find(group.inTree)?.facts.rootId;
  if (group.inTree !== undefined && onlyRoot === undefined) return takers;
  for (const provider of pool) {
    const { rootId } = provider.facts;
    if (!takesAll(provider, wanted) || (onlyRoot !== undefined && rootId !== onlyRoot)) continue;
    const home = rootId === root.id ? root : (snapshot.find(rootId) ?? provider);
    if (!inScope(provider, group, home)) continue;
    if (group.suffix === '' || meets(provider, group)) takers.push(provider);
  }
  return takers;
}

class Search {
  /** By wish, as far as the search has come. */
  readonly #chosen: Provider[] = [];
  #tries = 0;
  #found = 0;

  constructor(
    private readonly snapshot: Snapshot,
    private readonly request: CandidateRequest,
    private readonly wishes: readonly Wish[],
    /** By wish. */
    private readonly takers: readonly (readonly Provider[])[],
    private readonly root: Provider,
    private readonly take: (candidate: Candidate) => boolean,
  ) {}

  /** Whether it is enough for all trees. */
  run(): boolean {
    return this.#from(0) === 'enough';
  }

  /** Tries everything for that wish and those behind it. `over`: enough of this tree. */
  #from(place: number): 'enough' | 'over' | 'on' {
    const wish = this.wishes[place];
    if (!wish) return this.#offer();
    for (const provider of this.takers[place]!) {
      this.#tries += 1;
      if (this.#tries > MAX_TRIES) return 'over';
      if (!this.#goesWith(place, wish, provider)) continue;
      this.#chosen.push(provider);
      const end = this.#holds(wish) ? this.#from(place + 1) : 'on';
      this.#chosen.pop();
      if (end !== 'on') return end;
    }
    return 'on';
  }

  /** Whether the provider may be chosen beside those that are. */
  #goesWith(place: number, { group, wanted }: Wish, provider: Provider): boolean {
    const { isolate, nested } = this.request;
    for (let i = 0; i < place; i += 1) {
      const other = this.#chosen[i]!;
      const apart = isolate && group.suffix !== '' && this.wishes[i]!.group.suffix !== '';
      if (other === provider ? apart : !nested && other.facts.rootId === provider.facts.rootId) return false;
    }
    return wanted.every(([name, amount]) => {
      const before = this.#takenBefore(place, provider, name);
      return before === 0 || provider.takes(name, before + amount);
    });
  }

  #takenBefore(place: number, provider: Provider, name: string): number {
    let sum = 0;
    for (let i = 0; i < place; i += 1) {
      if (this.#chosen[i] !== provider) continue;
      for (const [other, amount] of this.wishes[i]!.wanted) if (other === name) sum += amount;
    }
    return sum;
  }

  /** The rules between several choices, as soon as the last of them is made. */
  #holds({ group, isLast, subtrees }: Wish): boolean {
    if (isLast && group.suffix === '' && group.required.length && !hasTraits(this.#of(group), group.required))
      return false;
    return subtrees.every((places) => this.#shareSubtree(places.map((each) => this.#chosen[each]!)));
  }

  #of(group: RequestGroup): Provider[] {
    return [...new Set(this.#chosen.filter((_, place) => this.wishes[place]!.group === group))];
  }

  #shareSubtree(providers: readonly Provider[]): boolean {
    return providers.some((top) => providers.every((provider) => this.#isWithin(provider, top)));
  }

  #isWithin(provider: Provider, top: Provider): boolean {
    let at: Provider | undefined = provider;
    while (at && at !== top) at = at.facts.parentId === null ? undefined : this.snapshot.find(at.facts.parentId);
    return at !== undefined;
  }

  #offer(): 'enough' | 'over' | 'on' {
    // What only sharers give belongs to their own trees, not to each tree that they serve.
    if (!this.#chosen.some(({ facts }) => facts.rootId === this.root.id)) return 'on';
    const totals = new Map<Provider, Amounts>();
    for (const [place, provider] of this.#chosen.entries()) {
      const { wanted, amounts } = this.wishes[place]!;
      const before = totals.get(provider);
      if (wanted.length) totals.set(provider, before ? added(before, wanted) : amounts);
    }
    const parts = [...totals].map(([provider, amounts]) => ({ provider, amounts }));
    const mappings = this.request.groups.map((group) => [group.suffix, this.#of(group)] as const);
    if (this.take({ parts, mappings })) return 'enough';
    this.#found += 1;
    return this.#found === MAX_CANDIDATES ? 'over' : 'on';
  }
}

function added(amounts: Amounts, wanted: Wish['wanted']): Amounts {
  const sums: Record<string, number> = { ...amounts };
  for (const [name, amount] of wanted) sums[name] = (sums[name] ?? 0) + amount;
  return sums;
}
