/**
 * Giving a server another interface: its port first, then the node is told of it. Where the node can not plug it, the
 * server has the interfaces that it had, the node is told so, and the port goes.
 */
import { defineFlow, type StepContext } from '#libs/platform/flow';
import { type KeptPorts, SERVER_ATTACH_INTERFACE, type ServerAttachInterfaceInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { aimInterfaces, INTERFACE_LIMIT_MS, placedServer, plugged, tellNode } from './interfaces.js';
import { ensurePort } from './ports.js';
import type { Target } from './pursuit.js';
import { releasePorts } from './release.js';

type Ctx = StepContext<ServerAttachInterfaceInput>;

export const serverAttachInterfaceFlow = (deps: FlowDeps) =>
  defineFlow<ServerAttachInterfaceInput>({
    kind: SERVER_ATTACH_INTERFACE,
    exhausted: 'undo',
    steps: [
      {
        name: 'port',
        ensure: (ctx) => ensurePort(deps, ctx),
        undoEnsure: (ctx) => releasePorts(deps, ctx, [ctx.input.nic.portId]),
      },
      { name: 'told', undoEnsure: (ctx) => tellNode(deps, ctx) },
      {
        name: 'aim',
        tx: async (tx, ctx) => {
          const server = await placedServer(deps, tx, ctx);
          const { nic } = ctx.input;
          const { addresses, securityGroups } = ctx.out<KeptPorts>('port')!;
          await deps.servers.patch(tx, server.id, { securityGroups }, ctx.now);
          const nics = [...server.nics.filter(({ portId }) => portId !== nic.portId), nic];
          return aimInterfaces(deps, tx, ctx, server, { nics, addresses });
        },
        undoTx: async (tx, ctx) => {
          const server = await deps.servers.lock(tx, ctx.input.serverId);
          if (!server?.host || !ctx.out<Target>('aim')) return;
          const kept = without(ctx);
          const nics = server.nics.filter(kept);
          await aimInterfaces(
            deps,
            tx,
            ctx,
            { ...server, host: server.host },
            { nics, addresses: server.addresses.filter(kept) },
          );
        },
      },
      {
        name: 'act',
        deadlineMs: INTERFACE_LIMIT_MS,
        ensure: (ctx) => plugged(deps, ctx, ctx.out<Target>('aim')!, 'The interface could not be attached'),
      },
    ],
  });

const without = (ctx: Ctx) => (one: { readonly portId: string }) => one.portId !== ctx.input.nic.portId;
