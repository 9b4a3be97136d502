/** A server's ports, as network is asked for them and as compute keeps them. */
import { networkV1 } from '#libs/contract';
import type { StepContext } from '#libs/platform/flow';
import { type KeptPorts, keptPorts, type ServerCreateInput } from '#services/compute/domain';
import type { Network } from '../peers.js';
import type { Placed } from './claim.js';
import { orFinal } from './final.js';

const NONE: KeptPorts = { addresses: [], securityGroups: [] };

/** Makes or adopts the ports, bound to the node. */
export async function ensurePorts(
  network: Network,
  ctx: StepContext<ServerCreateInput>,
  at: Placed,
): Promise<KeptPorts> {
  const { input } = ctx;
  if (!input.nics.length) return NONE;
  const { fence, n } = ctx.next();
  const request = networkV1.EnsureForServerRequest.fromPartial({
    serverId: input.serverId,
    projectId: ctx.projectId,
    host: at.node,
    fence,
    seq: n,
    nics: input.nics.map(({ portId, adopt, networkId, fixedIp, tag }) => ({
      portId,
      adopt,
      networkId,
      fixedIp,
      tag,
    })),
    securityGroupIds: [...input.securityGroupIds],
    hostname: input.hostname,
    availabilityZone: input.availabilityZone,
  });
  return keptPorts(await orFinal(network.ensureForServer(request)), input.nics);
}

/** Binds the ports to another node. */
export async function movePorts(network: Network, ctx: StepContext<ServerCreateInput>, to: Placed): Promise<KeptPorts> {
  const { input } = ctx;
  if (!input.nics.length) return NONE;
  const { fence, n } = ctx.next();
  const bound = orFinal(network.bind({ serverId: input.serverId, host: to.node, fence, seq: n }));
  return keptPorts(await bound, input.nics);
}
