/**
 * A consumer that stays on its node and holds other amounts there, or has to meet other traits: what the claim becomes, or
 * why not. Less is always possible, also on a node that takes nothing or has lost inventory; more only where there is room.
 */
import type { ClaimedNode } from '#services/placement/data';
import {
  type Amounts,
  Provider,
  reasonOf,
  type Snapshot,
  selectNodes,
  summaryOf,
  tally,
} from '#services/placement/domain';
import type { ServerRequest } from './scheduler.js';

export interface HeldShare {
  readonly providerId: string;
  readonly name: string;
  readonly resources: Amounts;
}

export type InPlace =
  | { readonly kind: 'same' | 'less' | 'more'; readonly node: ClaimedNode }
  | {
      readonly refusal: {
        readonly rejections: readonly { readonly id: string; readonly name: string; readonly reason: string }[];
        readonly summary: string;
      };
    };

/** `without`: the snapshot as it would be without what the consumer holds. */
export function inPlace(request: ServerRequest, held: readonly HeldShare[], without: Snapshot): InPlace {
  const [share, ...more] = held;
  const provider = share && without.find(share.providerId);
  if (!share || !provider || more.length)
    return { refusal: { rejections: [], summary: 'It holds nothing that could be changed' } };
  const grown = Object.entries(request.resources).filter(([name, units]) => units > (share.resources[name] ?? 0));
  const { facts } = provider;
  const judged = new Provider({ ...facts, disabledReason: grown.length ? facts.disabledReason : null });
  const { requiredTraits = [], forbiddenTraits = [], imageProperties = {}, extraSpecs = {}, numa = [] } = request;
  const asked = { requiredTraits, forbiddenTraits, imageProperties, extraSpecs, numa, onlyName: facts.name };
  const demand = { resources: Object.fromEntries(grown), ...asked };
  const { ranked, rejections } = selectNodes(without.with([judged]), demand, { random: () => 0 });
  if (!ranked.length) {
    const list = rejections.map(({ provider: { id, name }, refusal }) => ({ id, name, reason: reasonOf(refusal) }));
    return { refusal: { rejections: list, summary: summaryOf(tally(rejections, demand.resources)) } };
  }
  const node = { id: provider.id, name: provider.name };
  if (sameAmounts(share.resources, request.resources)) return { kind: 'same', node };
  return { kind: grown.length ? 'more' : 'less', node };
}

export function sameAmounts(a: Amounts, b: Amounts): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
