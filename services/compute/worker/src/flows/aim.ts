/** Committing what a node will fetch. */
import type { Tx } from '#libs/platform/db';
import type { DesiredPower, Errand } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import type { Target } from './pursuit.js';

/** Writes the desired state; from its commit on the node may act upon it. A lease's pair is above all before it. */
export async function aim(
  deps: Pick<FlowDeps, 'aims'>,
  tx: Tx,
  desired: Target & { readonly power: DesiredPower; readonly exportImageId?: string; readonly errand?: Errand },
  now: Date,
): Promise<Target> {
  const generation = await deps.aims.set(tx, desired, now);
  if (generation === undefined) throw new Error(`server ${desired.serverId} has seen a higher pair on ${desired.node}`);
  const { serverId, node, fence, seq } = desired;
  return { serverId, node, generation, fence, seq };
}
