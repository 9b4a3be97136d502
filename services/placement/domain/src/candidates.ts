/**
 * Everything a request could be given: for each tree of providers, every way to serve all of its groups. A plain request
 * on plain providers takes one pass; trees, sharing and several groups are combined one tree at a time.
 */
import type { Amounts } from './inventory.js';
import type { Provider } from './provider.js';
import type { Snapshot } from './snapshot.js';

/** What one group asks for. The unnamed group ('') may spread over a tree; a named one comes from a single provider. */
export interface RequestGroup {
  readonly suffix: string;
  readonly resources: Amounts;
  /** One of each list. */
  readonly required: readonly (readonly string[])[];
  readonly forbidden: readonly string[];
  /** Member of one of each list. */
  readonly memberOf: readonly (readonly string[])[];
  readonly notMemberOf: readonly string[];
  /** Only providers of the tree that this one belongs to. */
  readonly inTree: string | undefined;
}

export interface CandidateRequest {
  readonly groups: readonly RequestGroup[];
  /** Named groups must not share a provider. */
  readonly isolate: boolean;
  readonly rootRequired: readonly string[];
  readonly rootForbidden: readonly string[];
  /** Lists of group names whose providers must have one of them as a common ancestor. */
  readonly sameSubtree: readonly (readonly string[])[];
  readonly limit: number | undefined;
  /** Whether several providers of one tree may serve together: callers of old do not expect it. */
  readonly nested: boolean;
}

/** One way to serve the request. */
export interface Candidate {
  readonly parts: readonly { readonly provider: Provider; readonly amounts: Amounts }[];
  /** Which providers serve which group. */
  readonly mappings: readonly (readonly [suffix: string, providers: readonly Provider[]])[];
}

/** More combinations than this of one tree are not looked at: hostile requests would ask for millions. */
const MAX_PER_TREE = 10_000;

/** All candidates, up to the limit, in the order of the snapshot. */
export function allocationCandidates(snapshot: Snapshot, request: CandidateRequest): Candidate[] {
  const [only] = request.groups;
  const plain =
    snapshot.isPlain && request.groups.length === 1 && only !== undefined && request.sameSubtree.length === 0;
  return plain ? plainCandidates(snapshot, request, only) : treeCandidates(snapshot, request);
}

function plainCandidates(snapshot: Snapshot, request: CandidateRequest, group: RequestGroup): Candidate[] {
  const wanted = Object.entries(group.resources);
  const { resources: amounts, suffix } = group;
  const found: Candidate[] = [];
  for (const provider of snapshot.all()) {
    if (!wanted.every(([name, amount]) => provider.takes(name, amount))) continue;
    if (group.inTree !== undefined && provider.id !== group.inTree) continue;
    if (!rootFits(provider, request) || !inScope(provider, group, provider)) continue;
    if (!hasTraits([provider], group.required)) continue;
    found.push({ parts: [{ provider, amounts }], mappings: [[suffix, [provider]]] });
    if (found.length === request.limit) break;
  }
  return found;
}

function rootFits(root: Provider, request: CandidateRequest): boolean {
  return (
    request.rootRequired.every((trait) => root.traits.has(trait)) &&
    request.rootForbidden.every((trait) => !root.traits.has(trait))
  );
}

const hasTraits = (providers: readonly Provider[], required: RequestGroup['required']): boolean =>
  required.every((any) => any.some((trait) => providers.some((provider) => provider.traits.has(trait))));

/** Forbidden traits, aggregates and tree; membership of the root counts for the whole tree in the unnamed group. */
function inScope(provider: Provider, group: RequestGroup, root: Provider | undefined): boolean {
  const isMember = (aggregate: string): boolean =>
    provider.aggregates.has(aggregate) || (group.suffix === '' && root !== undefined && root.aggregates.has(aggregate));
  return (
    group.forbidden.every((trait) => !provider.traits.has(trait)) &&
    group.memberOf.every((any) => any.some(isMember)) &&
    !group.notMemberOf.some(isMember)
  );
}

/** One provider's share for one group. */
interface Share {
  readonly group: RequestGroup;
  readonly takes: readonly { readonly provider: Provider; readonly name: string; readonly amount: number }[];
  readonly providers: readonly Provider[];
}

function treeCandidates(snapshot: Snapshot, request: CandidateRequest): Candidate[] {
  const found: Candidate[] = [];
  const seen = new Set<string>();
  for (const root of snapshot.roots()) {
    if (!rootFits(root, request)) continue;
    const tree = snapshot.tree(root.id);
    const pool = [...tree, ...snapshot.sharersOf(tree)];
    const options = request.groups.map((group) => sharesOf(snapshot, group, pool, root));
    if (options.some((shares) => shares.length === 0)) continue;
    for (const shares of product(options, MAX_PER_TREE)) {
      const candidate = combine(snapshot, request, shares, root);
      if (!candidate) continue;
      const key = keyOf(candidate);
      if (seen.has(key)) continue;
      seen.add(key);
      found.push(candidate);
      if (found.length === request.limit) return found;
    }
  }
  return found;
}

function sharesOf(snapshot: Snapshot, group: RequestGroup, pool: readonly Provider[], root: Provider): Share[] {
  const treeRoot = group.inTree === undefined ? undefined : snapshot.find(group.inTree)?.facts.rootId;
  if (group.inTree !== undefined && treeRoot === undefined) return [];
  const eligible = pool.filter((provider) => {
    const home = snapshot.find(provider.facts.rootId) ?? provider;
    if (treeRoot !== undefined && provider.facts.rootId !== treeRoot) return false;
    return inScope(provider, group, home.id === root.id ? root : home);
  });
  return group.suffix === '' ? spreadShares(group, eligible) : singleShares(group, eligible);
}

/** A named group: everything from one provider that has all the traits. */
function singleShares(group: RequestGroup, eligible: readonly Provider[]): Share[] {
  const wanted = Object.entries(group.resources);
  return eligible
    .filter((p) => wanted.every(([name, amount]) => p.takes(name, amount)) && hasTraits([p], group.required))
    .map((provider) => ({
      group,
      takes: wanted.map(([name, amount]) => ({ provider, name, amount })),
      providers: [provider],
    }));
}

/** The unnamed group: each class from any provider; together they have the traits. */
function spreadShares(group: RequestGroup, eligible: readonly Provider[]): Share[] {
  const perClass = Object.entries(group.resources).map(([name, amount]) =>
    eligible.filter((provider) => provider.takes(name, amount)).map((provider) => ({ provider, name, amount })),
  );
  if (perClass.some((takers) => takers.length === 0)) return [];
  const shares: Share[] = [];
  for (const takes of product(perClass, MAX_PER_TREE)) {
    const providers = [...new Set(takes.map((take) => take.provider))];
    if (hasTraits(providers, group.required)) shares.push({ group, takes, providers });
  }
  return shares;
}

/** Puts one share of each group together, if what they take together fits and the rules between groups hold. */
function combine(
  snapshot: Snapshot,
  request: CandidateRequest,
  shares: readonly Share[],
  root: Provider,
): Candidate | undefined {
  const named = shares.filter((share) => share.group.suffix !== '');
  if (request.isolate && new Set(named.map((share) => share.providers[0])).size < named.length) return undefined;
  if (!request.sameSubtree.every((suffixes) => shareSubtree(snapshot, suffixes, named))) return undefined;
  const totals = new Map<Provider, Record<string, number>>();
  for (const { provider, name, amount } of shares.flatMap((share) => share.takes)) {
    const amounts = totals.get(provider) ?? {};
    amounts[name] = (amounts[name] ?? 0) + amount;
    totals.set(provider, amounts);
  }
  const parts = [...totals].map(([provider, amounts]) => ({ provider, amounts }));
  const fitsTogether = parts.every(({ provider, amounts }) =>
    Object.entries(amounts).every(([name, amount]) => provider.takes(name, amount)),
  );
  // What only sharers give belongs to their own trees, not to each tree that they serve.
  const ofThisTree = parts.length === 0 || shares.some((s) => s.providers.some((p) => p.facts.rootId === root.id));
  const tooDeep = !request.nested && new Set(parts.map(({ provider }) => provider.facts.rootId)).size < parts.length;
  if (!fitsTogether || !ofThisTree || tooDeep) return undefined;
  return { parts, mappings: shares.map((share) => [share.group.suffix, share.providers] as const) };
}

function shareSubtree(snapshot: Snapshot, suffixes: readonly string[], named: readonly Share[]): boolean {
  const providers = named.filter((s) => suffixes.includes(s.group.suffix)).map((s) => s.providers[0]!);
  return providers.some((top) => {
    const below = new Set(snapshot.subtree(top.id));
    return providers.every((provider) => below.has(provider));
  });
}

function keyOf(candidate: Candidate): string {
  const parts = candidate.parts.map(({ provider, amounts }) => `${provider.id}=${JSON.stringify(amounts)}`).sort();
  const mappings = candidate.mappings.map(([suffix, providers]) => `${suffix}:${providers.map((p) => p.id).sort()}`);
  return `${parts.join(';')}|${mappings.join(';')}`;
}

/** The cartesian product, one combination at a time, at most `limit`. */
function* product<T>(lists: readonly (readonly T[])[], limit: number): Generator<T[]> {
  const at = lists.map(() => 0);
  for (let count = 0; count < limit; count += 1) {
    yield lists.map((list, i) => list[at[i]!]!);
    let i = lists.length - 1;
    while (i >= 0 && at[i]! + 1 === lists[i]!.length) at[i--] = 0;
    if (i < 0) return;
    at[i]! += 1;
  }
}

/** The providers that a reader of the candidates needs to know about: those used, and with `trees` all of their trees. */
export function summarized(snapshot: Snapshot, candidates: readonly Candidate[], trees: boolean): Provider[] {
  const providers = new Set<Provider>();
  for (const { parts, mappings } of candidates) {
    for (const { provider } of parts) providers.add(provider);
    for (const [, mapped] of mappings) for (const provider of mapped) providers.add(provider);
  }
  if (!trees || snapshot.isPlain) return [...providers];
  const roots = new Set([...providers].map((provider) => provider.facts.rootId));
  return [...roots].flatMap((root) => snapshot.tree(root));
}
