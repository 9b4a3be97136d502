/** What a server asks of placement, and the sentence a tenant reads when no node could take it. */
import { placementV1 } from '#libs/contract';
import { Permanent, type StepContext } from '#libs/platform/flow';
import type { NodeDemand, ServerCreateInput, ServerSize } from '#services/compute/domain';
import type { Placement } from '../peers.js';
import type { FlowDeps } from './deps.js';

/** Where a server may be made, as a claim's step records it. */
export interface Placed {
  readonly node: string;
  readonly providerId: string;
}

/** A node that was tried, and why the server did not come up there. */
export interface FailedTry extends Placed {
  readonly why: string;
}

/**
 * Claims a node other than those tried, by the rule of the server's group. A claim that the server holds moves. Throws
 * `Permanent` with what dropped how many nodes.
 */
export async function claimNode(
  { db, placement, groups }: Pick<FlowDeps, 'db' | 'placement' | 'groups'>,
  ctx: StepContext<ServerCreateInput>,
  tried: readonly FailedTry[],
): Promise<Placed> {
  const { input } = ctx;
  const group = await groups.ofServer(db, input.serverId);
  const { fence, n } = ctx.next();
  const reply = await placement.claim(
    placementV1.ClaimRequest.fromPartial({
      ...{ consumerId: input.serverId, fence, seq: n, projectId: ctx.projectId, userId: ctx.userId },
      ...demanded(input.size, input),
      excludeProviderIds: tried.map((place) => place.providerId),
      apartProviderIds: [...input.excludeProviderIds],
      amongProviderIds: [...(input.amongProviderIds ?? [])],
      onlyProviderName: input.onlyHost,
      availabilityZone: input.availabilityZone,
      ...(group ? { group: { id: group.id, policy: group.policy, maxPerHost: group.maxPerHost ?? 0 } } : {}),
    }),
  );
  if (reply.claimed) return { node: reply.claimed.providerName, providerId: reply.claimed.providerId };
  throw noValidHost(tried, reply.summary);
}

/** What a server that stays on its node is to hold there, and what it demands of it. */
export interface StayingClaim extends NodeDemand {
  readonly serverId: string;
  readonly size: ServerSize;
}

/** Changes the claim on the server's own node. Throws `Permanent` with the node's reason, and then nothing has changed. */
export async function claimInPlace<I>(
  placement: Placement,
  ctx: StepContext<I>,
  staying: StayingClaim,
): Promise<Placed> {
  const { fence, n } = ctx.next();
  const reply = await placement.claim(
    placementV1.ClaimRequest.fromPartial({
      ...{ consumerId: staying.serverId, fence, seq: n, projectId: ctx.projectId, userId: ctx.userId },
      ...demanded(staying.size, staying),
      inPlace: true,
    }),
  );
  if (reply.claimed) return { node: reply.claimed.providerName, providerId: reply.claimed.providerId };
  const [own] = reply.rejections;
  throw noValidHost([], own ? `The server's own node ${own.reason}` : reply.summary);
}

function demanded(size: ServerSize, demand: NodeDemand) {
  return {
    resources: amountsOf(size, demand.resources ?? {}),
    requiredTraits: [...demand.requiredTraits],
    forbiddenTraits: [...demand.forbiddenTraits],
    extraSpecs: { ...demand.extraSpecs },
    imageProperties: { ...demand.imageProperties },
    numa: [...(demand.numa ?? [])],
  };
}

/** What the flavor says of a class stands in place of what the size makes of it. */
function amountsOf(size: ServerSize, said: Readonly<Record<string, number>>): placementV1.Amount[] {
  const amounts = { VCPU: size.vcpus, MEMORY_MB: size.memoryMb, DISK_GB: size.diskGb, ...said };
  return Object.entries(amounts)
    .map(([resourceClass, amount]) => ({ resourceClass, amount }))
    .filter(({ amount }) => amount > 0);
}

const LONGEST = 200;
const clipped = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The fault of a server that no node could take: what went wrong where it was tried, and what dropped how many others. */
export function noValidHost(tried: readonly FailedTry[], summary: string): Permanent {
  const why = [...Map.groupBy(tried, (place) => place.why)].map(([reason, places]) =>
    places.length > 1 ? `${clipped(reason)} (on ${places.length})` : clipped(reason),
  );
  const nodes = `${tried.length} node${tried.length === 1 ? '' : 's'}`;
  const sentences = [
    ...(tried.length ? [`It failed on ${nodes}: ${why.join('; ')}`] : []),
    ...(summary ? [summary] : []),
  ];
  return new Permanent(`No valid host was found. ${sentences.map((sentence) => `${sentence}.`).join(' ')}`, {
    kind: 'conflict',
  });
}
