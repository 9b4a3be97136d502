/** After a task was turned round: seeing to it that the node goes back to what the undo has written down. */
import type { StepContext } from '#libs/platform/flow';
import type { FlowDeps } from './deps.js';

/** A node that takes longer does it all the same: it has been told, and the books say what is wanted. */
const LIMIT_MS = 120_000;

/** An undo of its own, before the step whose undo writes the desired state. Whoever deletes the server tells the node himself. */
export async function watchReturn(
  { db, servers, aims, pursuit }: FlowDeps,
  ctx: StepContext<{ readonly serverId: string }>,
): Promise<void> {
  const { serverId } = ctx.input;
  const server = await servers.find(db, serverId);
  if (!server?.host || server.power === 'absent' || ctx.now.getTime() - ctx.since.getTime() > LIMIT_MS) return;
  const aim = await aims.aim(db, serverId, server.host);
  if (aim && aim.power !== 'absent') await pursuit.look(aim, ctx.now);
}
