/**
 * Everything a request could be given: for each tree of providers, every way to serve all of its groups. A plain request
 * on plain providers takes one pass; trees, sharing and several groups are searched one tree at a time, until the limit.
 */
import {
  type Candidate,
  type CandidateRequest,
  inScope,
  meets,
  type RequestGroup,
  takesAll,
} from './candidate-request.js';
import { searchTree, wishesOf } from './candidates-tree.js';
import type { Provider } from './provider.js';
import type { Snapshot } from './snapshot.js';

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
    if (!takesAll(provider, wanted) || !meets(provider, group)) continue;
    if (group.inTree !== undefined && provider.id !== group.inTree) continue;
    if (!rootFits(provider, request) || !inScope(provider, group, provider)) continue;
    found.push({ parts: [{ provider, amounts }], mappings: [[suffix, [provider]]] });
    if (found.length === request.limit) break;
  }
  return found;
}

function treeCandidates(snapshot: Snapshot, request: CandidateRequest): Candidate[] {
  const found: Candidate[] = [];
  const wishes = wishesOf(request);
  // What sharers of several trees give together can be met in each of these.
  const seen = new Set<string>();
  for (const root of snapshot.roots()) {
    if (!rootFits(root, request)) continue;
    const isFull = searchTree(snapshot, request, wishes, root, (candidate) => {
      if (candidate.mappings.some(([, providers]) => providers.some(({ facts }) => facts.rootId !== root.id))) {
        const key = keyOf(candidate);
        if (seen.has(key)) return false;
        seen.add(key);
      }
      found.push(candidate);
      return found.length === request.limit;
    });
    if (isFull) break;
  }
  return found;
}

function rootFits(root: Provider, request: CandidateRequest): boolean {
  return (
    request.rootRequired.every((trait) => root.traits.has(trait)) &&
    request.rootForbidden.every((trait) => !root.traits.has(trait))
  );
}

function keyOf(candidate: Candidate): string {
  const parts = candidate.parts.map(({ provider, amounts }) => {
    const sorted = Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1));
    return `${provider.id}=${JSON.stringify(sorted)}`;
  });
  const mappings = candidate.mappings.map(([suffix, providers]) => `${suffix}:${providers.map((p) => p.id).sort()}`);
  return `${parts.sort().join(';')}|${mappings.join(';')}`;
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
