/**
 * Chooses nodes for one server: a pure function over a snapshot and a source of chance. Parallel choosers pick at random
 * among the best few, so that they seldom want the same; whoever loses its claim goes on with the next of the list.
 */
import type { Amounts } from './inventory.js';
import type { Provider } from './provider.js';
import { resourceRefusal } from './rejection.js';
import type { Snapshot } from './snapshot.js';

export interface NodeRequest {
  readonly resources: Amounts;
  readonly requiredTraits?: readonly string[];
  readonly forbiddenTraits?: readonly string[];
  /** Tried and failed. */
  readonly excludeIds?: readonly string[];
  /** A forced host, or empty. */
  readonly onlyName?: string;
  /** Or empty for any. */
  readonly zone?: string;
  /** Member of one of each list. */
  readonly memberOf?: readonly (readonly string[])[];
}

/** Affinity and the like: rules over what else is where. */
export interface SelectionHooks {
  /** Why the node can not take it, or undefined. */
  refuse?(provider: Provider): string | undefined;
  /** Lower is better; added to how full the node would be (0..1). */
  weigh?(provider: Provider): number;
}

export interface Rejection {
  readonly provider: Provider;
  readonly reason: string;
}

export interface Selection {
  /** Best first, but for chance among the best few; at most `keep`. */
  readonly ranked: readonly Provider[];
  /** How many nodes would do. */
  readonly suitable: number;
  /** Why each of the others would not; empty unless asked for, or unless none would do. */
  readonly rejections: readonly Rejection[];
}

export interface SelectionOptions {
  /** In [0, 1). */
  readonly random: () => number;
  /** The first is drawn from so many of the best; 5 unless told. */
  readonly breadth?: number;
  /** How many are returned, alternates included; 8 unless told. */
  readonly keep?: number;
  readonly hooks?: SelectionHooks;
  /** Give reasons even if there are suitable nodes. */
  readonly explain?: boolean;
}

interface Ranked {
  readonly provider: Provider;
  readonly weight: number;
}

/** The nodes that can take the request, ranked, or why each can not. */
export function selectNodes(snapshot: Snapshot, request: NodeRequest, options: SelectionOptions): Selection {
  const wanted = Object.entries(request.resources);
  const test = compile(request, wanted, options.hooks);
  const keep = options.keep ?? 8;
  const best = new Best(Math.max(keep, options.breadth ?? 5));
  const refused: Provider[] = [];
  for (const provider of candidatesOf(snapshot, request)) {
    if (!provider.facts.isNode) continue;
    if (test(provider)) best.offer(provider, weightOf(provider, wanted, options.hooks));
    else refused.push(provider);
  }
  const explain = options.explain || best.offered === 0;
  const rejections = explain
    ? nearestFirst(refused, request).map((provider) => ({
        provider,
        reason: reasonOf(provider, request, wanted, options.hooks),
      }))
    : [];
  const ranked = shuffleFirst(best.sorted(), options.breadth ?? 5, options.random).slice(0, keep);
  return { ranked, suitable: best.offered, rejections };
}

/** Those that came close come first: whoever reads a few of many reasons should not read of other zones. */
function nearestFirst(refused: readonly Provider[], { zone }: NodeRequest): Provider[] {
  const far = ({ facts }: Provider): number => (zone && facts.zone !== zone ? 1 : 0);
  return refused.toSorted((a, b) => far(a) - far(b) || (a.facts.name < b.facts.name ? -1 : 1));
}

/** A forced host needs no look at the others. */
function candidatesOf(snapshot: Snapshot, request: NodeRequest): readonly Provider[] {
  if (!request.onlyName) return snapshot.all();
  const only = snapshot.named(request.onlyName);
  return only ? [only] : [];
}

type Wanted = readonly (readonly [string, number])[];

/** The cheap form of `reasonOf`: only whether. */
function compile(
  request: NodeRequest,
  wanted: Wanted,
  hooks: SelectionHooks | undefined,
): (provider: Provider) => boolean {
  const { requiredTraits = [], forbiddenTraits = [], zone, memberOf = [] } = request;
  const excluded = new Set(request.excludeIds);
  return (provider) => {
    const { facts } = provider;
    if (facts.disabledReason !== null) return false;
    if (zone && facts.zone !== zone) return false;
    for (const [name, amount] of wanted) if (!provider.takes(name, amount)) return false;
    for (const trait of requiredTraits) if (!provider.traits.has(trait)) return false;
    for (const trait of forbiddenTraits) if (provider.traits.has(trait)) return false;
    if (excluded.size && excluded.has(facts.id)) return false;
    if (!memberOf.every((any) => any.some((aggregate) => provider.aggregates.has(aggregate)))) return false;
    return hooks?.refuse?.(provider) === undefined;
  };
}

/** Why not; the order is that in which an operator would ask. */
function reasonOf(provider: Provider, request: NodeRequest, wanted: Wanted, hooks: SelectionHooks | undefined): string {
  const { facts } = provider;
  if (facts.disabledReason !== null) return `is disabled: ${facts.disabledReason || 'no reason was given'}`;
  if (request.zone && facts.zone !== request.zone) {
    return `is in availability zone ${facts.zone || '(none)'}, not ${request.zone}`;
  }
  if (request.excludeIds?.includes(facts.id)) return 'was tried before';
  const missing = request.requiredTraits?.filter((trait) => !provider.traits.has(trait)) ?? [];
  if (missing.length) return `lacks the required trait ${missing.join(', ')}`;
  const unwanted = request.forbiddenTraits?.filter((trait) => provider.traits.has(trait)) ?? [];
  if (unwanted.length) return `has the forbidden trait ${unwanted.join(', ')}`;
  if (!(request.memberOf ?? []).every((any) => any.some((each) => provider.aggregates.has(each)))) {
    return 'is not in a required aggregate';
  }
  return resourceRefusal(provider, wanted) ?? hooks?.refuse?.(provider) ?? 'is not suitable';
}

/** How full the fullest of the wanted classes would be: small spreads servers over the nodes. */
function weightOf(provider: Provider, wanted: Wanted, hooks: SelectionHooks | undefined): number {
  let fullest = 0;
  for (const [name, amount] of wanted) {
    const room = provider.room(name);
    if (room) fullest = Math.max(fullest, (room.used + amount) / room.capacity);
  }
  return fullest + (hooks?.weigh?.(provider) ?? 0);
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

  sorted(): Provider[] {
    return this.kept.map((entry) => entry.provider);
  }
}

/** Draws the order of the best few; the rest keep theirs. */
function shuffleFirst(providers: Provider[], breadth: number, random: () => number): Provider[] {
  const few = Math.min(breadth, providers.length);
  for (let i = few - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [providers[i], providers[j]] = [providers[j]!, providers[i]!];
  }
  return providers;
}
