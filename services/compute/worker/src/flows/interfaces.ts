/** What attaching and detaching an interface have in common: the row's interfaces, and telling the node. */
import type { Tx } from '#libs/platform/db';
import { Permanent, type StepContext } from '#libs/platform/flow';
import type { Server } from '#services/compute/domain';
import { aim } from './aim.js';
import type { FlowDeps } from './deps.js';
import type { Target } from './pursuit.js';

type Ctx = StepContext<{ readonly serverId: string }>;
export type Interfaces = Pick<Server, 'nics'> & Partial<Pick<Server, 'addresses'>>;

/** How long the node may take: a guest that is asked to let go of a device does so in its own time. */
export const INTERFACE_LIMIT_MS = 2 * 60_000;

/** The server on its node; gone, or on none, it has nothing to be plugged into. */
export async function placedServer(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<Server & { readonly host: string }> {
  const server = await deps.servers.lock(tx, ctx.input.serverId);
  if (!server?.host) throw new Permanent('The server is on no node.', { kind: 'conflict' });
  return { ...server, host: server.host };
}

/** Writes the interfaces and what the node is to make of them; the guest's power stays as it is. */
export async function aimInterfaces(
  deps: FlowDeps,
  tx: Tx,
  ctx: Ctx,
  server: Server & { readonly host: string },
  interfaces: Interfaces,
): Promise<Target> {
  await deps.servers.patch(tx, server.id, interfaces, ctx.now);
  const { fence, n: seq } = ctx.next();
  const { id: serverId, host: node, power, generation } = server;
  return aim(deps, tx, { serverId, node, power, generation, fence, seq }, ctx.now);
}

/** Throws `Permanent` with the node's reason. */
export async function plugged(deps: FlowDeps, ctx: Ctx, target: Target, failed: string): Promise<void> {
  const end = await deps.pursuit.look(target, ctx.now);
  if (end.state === 'away') throw new Permanent(`${failed}: its node does not answer.`, { kind: 'unavailable' });
  if (end.state === 'failed') throw new Permanent(`${failed}: ${end.why}`, { kind: 'conflict' });
}

/** After an undo the node may hold what was taken back: whether it follows now or later holds nobody up. */
export async function tellNode(deps: FlowDeps, ctx: Ctx): Promise<void> {
  const server = await deps.servers.find(deps.db, ctx.input.serverId);
  const target = server?.host ? await deps.aims.find(deps.db, server.id, server.host) : undefined;
  if (target && target.power !== 'absent') await deps.pursuit.tell(target, ctx.now);
}
