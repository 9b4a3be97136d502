/** Giving back what a server held. */
import { Owed, type StepContext } from '#libs/platform/flow';
import type { FlowDeps } from './deps.js';

type Ctx = StepContext<{ readonly serverId: string }>;

/** Deletes the ports that were made for the server and unbinds the tenant's own: all of them, or some. */
export async function releasePorts(deps: FlowDeps, ctx: Ctx, portIds: string[] = []): Promise<void> {
  const { fence, n } = ctx.next();
  await deps.network.releaseForServer({ serverId: ctx.input.serverId, fence, seq: n, portIds });
}

/**
 * The claim goes last. As long as a node has not confirmed that nothing of the server is left, the allocation stands for
 * it, and its release is owed together with the clearing.
 */
export async function releaseClaim(deps: FlowDeps, ctx: Ctx): Promise<void> {
  const { serverId } = ctx.input;
  const [left] = await deps.aims.leaving(deps.db, serverId);
  if (left) throw new Owed(left.node, `node ${left.node} has not confirmed that the server is gone`);
  const { fence, n } = ctx.next();
  await deps.placement.release({ consumerId: serverId, fence, seq: n });
}
