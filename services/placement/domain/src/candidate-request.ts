/** What is asked for where candidates are looked for, and whether a provider meets what one group says of itself. */
import type { Amounts } from './inventory.js';
import type { Provider } from './provider.js';

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

export function takesAll(provider: Provider, wanted: readonly (readonly [name: string, amount: number])[]): boolean {
  for (const [name, amount] of wanted) if (!provider.takes(name, amount)) return false;
  return true;
}

/** Whether it has, by itself, the traits that the group requires. */
export function meets({ traits }: Provider, { required }: RequestGroup): boolean {
  for (const any of required) if (!any.some((trait) => traits.has(trait))) return false;
  return true;
}

export const hasTraits = (providers: readonly Provider[], required: RequestGroup['required']): boolean =>
  required.every((any) => any.some((trait) => providers.some((provider) => provider.traits.has(trait))));

/** Forbidden traits and aggregates; membership of the root counts for the whole tree in the unnamed group. */
export function inScope(provider: Provider, group: RequestGroup, root: Provider | undefined): boolean {
  const isMember = (aggregate: string): boolean =>
    provider.aggregates.has(aggregate) || (group.suffix === '' && root !== undefined && root.aggregates.has(aggregate));
  return (
    group.forbidden.every((trait) => !provider.traits.has(trait)) &&
    group.memberOf.every((any) => any.some(isMember)) &&
    !group.notMemberOf.some(isMember)
  );
}
