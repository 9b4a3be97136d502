/** Waiting for a node where going on without its word is better than giving up. */
import { NotYet, Permanent, type StepContext } from '#libs/platform/flow';
import { type FlavorSnapshot, sizeOf, unitsOf } from '#services/compute/domain';
import { claimInPlace } from './claim.js';
import type { FlowDeps } from './deps.js';
import type { Pursued, Target } from './pursuit.js';

/** How a node came to an end with a desired state, or `late`. */
export type Awaited = Pursued | { readonly state: 'late' };

/** Looks; throws `NotYet` until the time since the step's first try is up. */
export async function awaited<I>(
  deps: Pick<FlowDeps, 'pursuit'>,
  ctx: StepContext<I>,
  target: Target,
  limitMs: number,
): Promise<Awaited> {
  try {
    return await deps.pursuit.look(target, ctx.now);
  } catch (error) {
    if (error instanceof NotYet && ctx.now.getTime() - ctx.since.getTime() > limitMs) return { state: 'late' };
    throw error;
  }
}

/** Gives back what the server holds beyond that flavor. Less is always possible, and a claim that is gone is no reason to stop. */
export async function shrinkClaim<I extends { readonly serverId: string }>(
  deps: Pick<FlowDeps, 'placement' | 'servers' | 'db'>,
  ctx: StepContext<I>,
  flavor: FlavorSnapshot,
): Promise<void> {
  const { serverId } = ctx.input;
  const server = await deps.servers.find(deps.db, serverId);
  const resources = unitsOf(flavor, server?.image?.properties ?? {});
  try {
    const staying = { serverId, size: sizeOf(flavor), resources };
    await claimInPlace(deps.placement, ctx, { ...staying, requiredTraits: [], forbiddenTraits: [] });
  } catch (error) {
    if (!(error instanceof Permanent)) throw error;
  }
}
