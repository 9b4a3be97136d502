/**
 * Rebuilding a server: its node begins a new root disk from the image that the row names since the request, and the server
 * is as it was before, running or stopped. The claim stays as it is. Where the node does not take the image, the disk is
 * what it was and the row names its image again; once the node has been told, only another rebuild leads further.
 */
import { SERVER_REBUILD, type ServerRebuildInput } from '#services/compute/domain';
import { claimInPlace } from './claim.js';
import type { FlowDeps } from './deps.js';
import { powerFlow } from './power.js';
import type { Target } from './pursuit.js';

export const serverRebuildFlow = (deps: FlowDeps) =>
  powerFlow<ServerRebuildInput>(deps, {
    kind: SERVER_REBUILD,
    power: ({ power }) => power,
    before: [
      {
        name: 'fit',
        ensure: (ctx) => claimInPlace(deps.placement, ctx, ctx.input),
        undoTx: async (tx, ctx) => {
          if (!ctx.out<Target>('aim')) await deps.servers.patch(tx, ctx.input.serverId, ctx.input.before, ctx.now);
        },
      },
    ],
    aimed: () => ({ newDisk: true }),
    renewals: ({ renewals }) => renewals,
    done: ({ power }) => (power === 'running' ? 'rebuilt' : 'rebuiltStopped'),
    settled: () => ({ fault: null, diskMade: true, forgetBootSecrets: true }),
    back: () => 'broken',
    limitMs: 15 * 60_000,
    failed: 'could not be rebuilt',
  });
