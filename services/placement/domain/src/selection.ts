/**
 * Chooses nodes for one server: a pure function over a snapshot, what is known beside it, and a source of chance. Parallel
 * choosers pick at random among the best few, so that they seldom want the same; whoever loses its claim goes on with the
 * next of the list. In a large cloud only so many suitable nodes are compared, beginning anywhere: the best of hundreds is
 * hardly worse than the best of all, and is found in a fraction of the time.
 */
import type { Provider } from './provider.js';
import type { Rejection } from './rejection.js';
import { FILTER_NAMES, type FilterName, type NamedTest, testsFor } from './selection-filters.js';
import { type NodeRequest, QUIET_WORLD, type World } from './selection-request.js';
import { DEFAULT_WEIGHTS, type Weights, weigherFor } from './selection-weights.js';
import type { Snapshot } from './snapshot.js';

export interface Selection {
  /** Best first, but for chance among the best few; at most `keep`. */
  readonly ranked: readonly Provider[];
  /** How many nodes would do, as far as was looked. */
  readonly suitable: number;
  /** Why each of the others would not; empty unless asked for, or unless none would do. */
  readonly rejections: readonly Rejection[];
}

/** How an operator wants nodes to be chosen. */
export interface SelectionPolicy {
  readonly filters: readonly FilterName[];
  readonly weights: Weights;
  /** The first is drawn from so many of the best, if they are nearly as good as the best one. */
  readonly breadth: number;
  /** How many are returned, alternates included. */
  readonly keep: number;
  /** So many suitable nodes are compared; 0: all. */
  readonly compare: number;
}

export const DEFAULT_POLICY: SelectionPolicy = {
  ...{ filters: FILTER_NAMES, weights: DEFAULT_WEIGHTS },
  ...{ breadth: 5, keep: 8, compare: 500 },
};

export interface SelectionOptions {
  /** In [0, 1). */
  readonly random: () => number;
  readonly policy?: Partial<SelectionPolicy>;
  readonly world?: World;
  /** Give reasons even if there are suitable nodes. */
  readonly explain?: boolean;
}

interface Ranked {
  readonly provider: Provider;
  readonly weight: number;
}

/** Weights that differ by less are as good as equal. */
const NEARLY = 0.1;

/** The nodes that can take the request, ranked, or why each can not. */
export function selectNodes(snapshot: Snapshot, request: NodeRequest, options: SelectionOptions): Selection {
  const policy = { ...DEFAULT_POLICY, ...options.policy };
  const world = options.world ?? QUIET_WORLD;
  const tests = testsFor(request, world, new Set(policy.filters));
  const weigh = weigherFor(request, world, policy.weights);
  const best = new Best(Math.max(policy.keep, policy.breadth));
  visitCandidates(snapshot, request, world, options.random, (provider) => {
    if (!provider.facts.isNode || !passesAll(tests, provider)) return false;
    best.offer(provider, weigh(provider));
    return best.offered === policy.compare;
  });
  const explain = options.explain || best.offered === 0;
  return {
    ranked: shuffleFirst(best.sorted(), policy.breadth, options.random)
      .slice(0, policy.keep)
      .map(({ provider }) => provider),
    suitable: best.offered,
    rejections: explain ? nearestFirst(rejectionsOf(snapshot, request, tests), request) : [],
  };
}

function passesAll(tests: readonly NamedTest[], provider: Provider): boolean {
  for (const test of tests) if (!test.passes(provider)) return false;
  return true;
}

function rejectionsOf(snapshot: Snapshot, { onlyName }: NodeRequest, tests: readonly NamedTest[]): Rejection[] {
  const only = onlyName ? snapshot.named(onlyName) : undefined;
  const nodes = onlyName ? (only ? [only] : []) : snapshot.all();
  return nodes.flatMap((provider) => {
    const test = provider.facts.isNode ? tests.find((each) => !each.passes(provider)) : undefined;
    return test ? [{ provider, filter: test.name, refusal: test.refusal(provider) }] : [];
  });
}

/** Those that came close come first: whoever reads a few of many reasons should not read of other zones. */
function nearestFirst(rejections: Rejection[], { zone }: NodeRequest): Rejection[] {
  const far = ({ provider: { facts } }: Rejection): number => (zone && facts.zone !== zone ? 1 : 0);
  return rejections.sort((a, b) => far(a) - far(b) || (a.provider.name < b.provider.name ? -1 : 1));
}

/**
 * Goes through them until the visitor says that it is enough. A forced host needs no look at the others; those that a group is
 * drawn to come first.
 */
function visitCandidates(
  snapshot: Snapshot,
  { onlyName, group }: NodeRequest,
  { seats }: World,
  random: () => number,
  visit: (provider: Provider) => boolean,
): void {
  if (onlyName) {
    const only = snapshot.named(onlyName);
    if (only) visit(only);
    return;
  }
  const drawn = group?.policy === 'affinity' || group?.policy === 'soft-affinity' ? seats : undefined;
  for (const id of drawn?.keys() ?? []) {
    const provider = snapshot.find(id);
    if (provider && visit(provider)) return;
  }
  if (group?.policy === 'affinity' && drawn?.size) return;
  const all = snapshot.all();
  const begin = Math.floor(random() * all.length);
  for (let i = 0; i < all.length; i += 1) {
    const provider = all[(begin + i) % all.length]!;
    if (!drawn?.has(provider.id) && visit(provider)) return;
  }
}

/** The best few of many, without sorting them all. */
class Best {
  offered = 0;
  private readonly kept: Ranked[] = [];

  constructor(private readonly limit: number) {}

  offer(provider: Provider, weight: number): void {
    this.offered += 1;
    const { kept, limit } = this;
    if (kept.length === limit && weight >= kept[limit - 1]!.weight) return;
    if (kept.length === limit) kept.pop();
    let at = kept.length;
    while (at > 0 && kept[at - 1]!.weight > weight) at -= 1;
    kept.splice(at, 0, { provider, weight });
  }

  sorted(): Ranked[] {
    return this.kept;
  }
}

/** Draws the order of the best few; the rest keep theirs. */
function shuffleFirst(ranked: Ranked[], breadth: number, random: () => number): Ranked[] {
  const [best] = ranked;
  const equal = best ? ranked.filter(({ weight }) => weight - best.weight <= NEARLY).length : 0;
  for (let i = Math.min(breadth, equal) - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [ranked[i], ranked[j]] = [ranked[j]!, ranked[i]!];
  }
  return ranked;
}
