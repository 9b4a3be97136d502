/** What a server asks of placement, and the sentence a tenant reads when no node could take it. */
import { placementV1 } from '#libs/contract';
import { Permanent, type StepContext } from '#libs/platform/flow';
import type { ServerCreateInput, ServerSize } from '#services/compute/domain';
import type { Placement } from '../peers.js';

/** Where a server may be made, as a claim's step records it. */
export interface Placed {
  readonly node: string;
  readonly providerId: string;
}

/** A node that was tried, and why the server did not come up there. */
export interface FailedTry extends Placed {
  readonly why: string;
}

/** Claims a node other than those tried. A claim that the server holds moves. Throws `Permanent` with each node's reason. */
export async function claimNode(
  placement: Placement,
  ctx: StepContext<ServerCreateInput>,
  tried: readonly FailedTry[],
): Promise<Placed> {
  const { input } = ctx;
  const { fence, n } = ctx.next();
  const reply = await placement.claim(
    placementV1.ClaimRequest.fromPartial({
      consumerId: input.serverId,
      fence,
      seq: n,
      projectId: ctx.projectId,
      userId: ctx.userId,
      resources: amountsOf(input.size),
      requiredTraits: [...input.requiredTraits],
      forbiddenTraits: [...input.forbiddenTraits],
      excludeProviderIds: [...input.excludeProviderIds, ...tried.map((place) => place.providerId)],
      onlyProviderName: input.onlyHost,
      availabilityZone: input.availabilityZone,
    }),
  );
  if (reply.claimed) return { node: reply.claimed.providerName, providerId: reply.claimed.providerId };
  throw noValidHost(tried, reply.rejections);
}

/** What a server that stays on its node is to hold there, and the traits that the node must have. */
export interface StayingClaim {
  readonly serverId: string;
  readonly size: ServerSize;
  readonly requiredTraits: readonly string[];
  readonly forbiddenTraits: readonly string[];
}

/** Changes the claim on the server's own node. Throws `Permanent` with the node's reason, and then nothing has changed. */
export async function claimInPlace<I>(
  placement: Placement,
  ctx: StepContext<I>,
  { serverId, size, requiredTraits, forbiddenTraits }: StayingClaim,
): Promise<Placed> {
  const { fence, n } = ctx.next();
  const reply = await placement.claim(
    placementV1.ClaimRequest.fromPartial({
      ...{ consumerId: serverId, fence, seq: n, projectId: ctx.projectId, userId: ctx.userId },
      ...{ resources: amountsOf(size), inPlace: true },
      ...{ requiredTraits: [...requiredTraits], forbiddenTraits: [...forbiddenTraits] },
    }),
  );
  if (reply.claimed) return { node: reply.claimed.providerName, providerId: reply.claimed.providerId };
  throw noValidHost([], reply.rejections);
}

function amountsOf(size: ServerSize): placementV1.Amount[] {
  const amounts = [
    { resourceClass: 'VCPU', amount: size.vcpus },
    { resourceClass: 'MEMORY_MB', amount: size.memoryMb },
    { resourceClass: 'DISK_GB', amount: size.diskGb },
  ];
  return amounts.filter(({ amount }) => amount > 0);
}

/** At most so many nodes are named; the rest are counted. */
const NAMED = 10;

/** The fault of a server that no node could take: what each said, those tried first. */
export function noValidHost(
  tried: readonly FailedTry[],
  rejections: readonly { providerName: string; reason: string }[],
): Permanent {
  const failed = new Set(tried.map((place) => place.node));
  const reasons = [
    ...tried.map((place) => `${place.node}: ${place.why}`),
    ...rejections.filter((r) => !failed.has(r.providerName)).map((r) => `${r.providerName}: ${r.reason}`),
  ];
  const rest = reasons.length > NAMED ? `; and ${reasons.length - NAMED} more` : '';
  const said = reasons.length ? reasons.slice(0, NAMED).join('; ') + rest : 'there are no compute nodes';
  return new Permanent(`No valid host was found. ${said}.`, { kind: 'conflict' });
}
