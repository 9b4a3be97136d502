/** Which QoS policies a caller may attach to its ports and networks, and take from them. */
import { fail, isUuid } from '#libs/kernel';
import { type QosPolicy, qosPolicyNotFound, reaches } from '#services/network/domain';
import type { NetworkParts } from '../parts.js';
import { type AnyCall, mayKnow } from '../scope.js';

export const maySeeQos = (call: Pick<AnyCall, 'who'>, policy: QosPolicy): boolean =>
  mayKnow(call.who, policy.projectId) || reaches(policy.sharedWith, call.who.projectId);

/** Throws `QosPolicyNotFound` unless the caller may use the policy; gives its id in canonical form. */
async function usable(parts: NetworkParts, call: AnyCall, id: string): Promise<string> {
  const policy = isUuid(id) ? await parts.books.qosPolicies.find(parts.books.db, id) : undefined;
  if (!policy || !maySeeQos(call, policy)) throw qosPolicyNotFound(id.slice(0, 100));
  return policy.id;
}

/** Throws for the first policy that the caller may not use. */
export async function usableQosPolicies(
  parts: NetworkParts,
  call: AnyCall,
  drafts: readonly { readonly qosPolicyId: string | null }[],
): Promise<void> {
  for (const id of new Set(drafts.map((draft) => draft.qosPolicyId))) if (id !== null) await usable(parts, call, id);
}

/**
 * What an update makes of the policy: another, none, or undefined for no change. One that an administrator attached and
 * the caller can not see is not the caller's to take away.
 */
export async function changedQosPolicy(
  parts: NetworkParts,
  call: AnyCall,
  wish: string | null | undefined,
  current: string | null,
): Promise<string | null | undefined> {
  if (wish === undefined || wish === current) return undefined;
  const standing = current === null ? undefined : await parts.books.qosPolicies.find(parts.books.db, current);
  if (standing && !maySeeQos(call, standing))
    throw fail.forbidden(`QoS policy ${standing.id} is not yours to take away.`, {
      type: 'PolicyRemoveAuthorizationError',
    });
  return wish === null ? null : usable(parts, call, wish);
}
