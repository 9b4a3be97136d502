/**
 * Taking an interface from a server: the node first, so that no guest speaks on a port that is given away; then the port;
 * and until then the server is shown with it. Where the guest does not let go of it, everything is as it was. A delete of
 * the server waits for the guest's answer.
 */
import { defineFlow } from '#libs/platform/flow';
import { type Nic, SERVER_DETACH_INTERFACE, type ServerDetachInterfaceInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { aimInterfaces, INTERFACE_LIMIT_MS, placedServer, plugged, tellNode } from './interfaces.js';
import type { Target } from './pursuit.js';
import { releasePorts } from './release.js';

export const serverDetachInterfaceFlow = (deps: FlowDeps) =>
  defineFlow<ServerDetachInterfaceInput>({
    kind: SERVER_DETACH_INTERFACE,
    // Once the node has let go of it the port is given away, and there is no way back.
    cancellable: false,
    steps: [
      { name: 'told', undoEnsure: (ctx) => tellNode(deps, ctx) },
      {
        name: 'aim',
        tx: async (tx, ctx) => {
          const server = await placedServer(deps, tx, ctx);
          return aimInterfaces(deps, tx, ctx, server, { nics: marked(server.nics, ctx.input.portId, true) });
        },
        undoTx: async (tx, ctx) => {
          const server = await deps.servers.lock(tx, ctx.input.serverId);
          if (!server?.host || !ctx.out<Target>('aim')) return;
          const nics = marked(server.nics, ctx.input.portId, false);
          await aimInterfaces(deps, tx, ctx, { ...server, host: server.host }, { nics });
        },
      },
      {
        name: 'act',
        deadlineMs: INTERFACE_LIMIT_MS,
        ensure: (ctx) => plugged(deps, ctx, ctx.out<Target>('aim')!, 'The interface could not be detached'),
      },
      { name: 'port', ensure: (ctx) => releasePorts(deps, ctx, [ctx.input.portId]) },
      {
        name: 'settle',
        tx: async (tx, ctx) => {
          const server = await deps.servers.lock(tx, ctx.input.serverId);
          if (!server) return;
          const kept = (one: { readonly portId: string }) => one.portId !== ctx.input.portId;
          const left = { nics: server.nics.filter(kept), addresses: server.addresses.filter(kept) };
          await deps.servers.patch(tx, server.id, left, ctx.now);
        },
      },
    ],
  });

const marked = (nics: readonly Nic[], portId: string, leaving: boolean): Nic[] =>
  nics.map((nic) => (nic.portId === portId ? { ...nic, leaving } : nic));
