/**
 * Deleting a server, whatever became of it: it is cleared off every node, its ports and its claim go, and last of all its
 * row with the quota it held. It starts when the task before it has turned round, and can not be cancelled.
 *
 * A node that is down does not hold it up: what the node still has to do, and the claim that stands for it, become debts.
 */
import { defineFlow } from '#libs/platform/flow';
import { SERVER_DELETE, type ServerDeleteInput, shelfOf } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { releaseClaim, releasePorts } from './release.js';

export const serverDeleteFlow = (deps: FlowDeps) =>
  defineFlow<ServerDeleteInput>({
    kind: SERVER_DELETE,
    cancellable: false,
    steps: [
      {
        name: 'aim',
        tx: async (tx, ctx) => {
          const { fence, n: seq } = ctx.next();
          await deps.aims.clearAway(tx, ctx.input.serverId, { fence, seq }, ctx.now);
        },
      },
      { name: 'clear', ensure: (ctx) => deps.pursuit.clear(ctx.input.serverId, ctx.now) },
      { name: 'ports', ensure: (ctx) => releasePorts(deps, ctx) },
      { name: 'claim', ensure: (ctx) => releaseClaim(deps, ctx) },
      { name: 'shelf', ensure: (ctx) => clearShelf(deps, ctx.input.serverId) },
      {
        name: 'bury',
        tx: async (tx, ctx) => {
          await deps.servers.bury(tx, ctx.input.serverId, ctx.now);
          await deps.aims.forgetCleared(tx, ctx.input.serverId);
        },
      },
    ],
  });

/** The image that a shelved server lies in goes with it. */
async function clearShelf({ servers, db, images }: FlowDeps, serverId: string): Promise<void> {
  const server = await servers.find(db, serverId);
  const shelf = server && shelfOf(server);
  if (shelf) await images.discard({ imageId: shelf.imageId, owner: server.projectId });
}
