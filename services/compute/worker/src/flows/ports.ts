/** A server's ports, as network is asked for them and as compute keeps them. */
import { networkV1 } from '#libs/contract';
import { Permanent, type StepContext } from '#libs/platform/flow';
import {
  type KeptPorts,
  keptPorts,
  type Nic,
  ownPorts,
  type ServerAttachInterfaceInput,
  type ServerCreateInput,
} from '#services/compute/domain';
import type { Network } from '../peers.js';
import type { Placed } from './claim.js';
import type { FlowDeps } from './deps.js';
import { orFinal } from './final.js';

const wishOf = ({ portId, adopt, networkId, fixedIp, tag }: Nic) => ({ portId, adopt, networkId, fixedIp, tag });

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
    nics: input.nics.map(wishOf),
    securityGroupIds: [...input.securityGroupIds],
    hostname: input.hostname,
    availabilityZone: input.availabilityZone,
  });
  return keptPorts(await orFinal(network.ensureForServer(request)), input.nics);
}

/** Makes or adopts one more port, bound to the server's node; returns all that the server has then. */
export async function ensurePort(
  deps: Pick<FlowDeps, 'db' | 'servers' | 'network'>,
  ctx: StepContext<ServerAttachInterfaceInput>,
): Promise<KeptPorts> {
  const { serverId, nic, securityGroupIds } = ctx.input;
  const server = await deps.servers.find(deps.db, serverId);
  if (!server?.host) throw new Permanent('The server is on no node.', { kind: 'conflict' });
  const { fence, n } = ctx.next();
  const request = networkV1.EnsureForServerRequest.fromPartial({
    ...{ serverId, projectId: server.projectId, host: server.host, fence, seq: n },
    ...{ nics: [wishOf(nic)], securityGroupIds: [...securityGroupIds], hostname: server.hostname },
    availabilityZone: server.availabilityZone ?? '',
  });
  const nics = [...server.nics, nic];
  const { ports } = await orFinal(deps.network.ensureForServer(request));
  return keptPorts({ ports: ownPorts({ nics, addresses: [] }, ports) }, nics);
}

/** Binds the ports to another node. */
export function movePorts(network: Network, ctx: StepContext<ServerCreateInput>, to: Placed): Promise<KeptPorts> {
  return bindPorts(network, ctx, ctx.input.nics, to.node);
}

/** Binds the ports to a node; `nics` is the order in which they are shown. */
export async function bindPorts(
  network: Network,
  ctx: StepContext<{ readonly serverId: string }>,
  nics: readonly Nic[],
  host: string,
): Promise<KeptPorts> {
  if (!nics.length) return NONE;
  const { fence, n } = ctx.next();
  const { ports } = await orFinal(network.bind({ serverId: ctx.input.serverId, host, fence, seq: n }));
  return keptPorts({ ports: ownPorts({ nics, addresses: [] }, ports) }, nics);
}

/** The ports keep their addresses and are on no node. */
export async function unbindPorts(network: Network, ctx: StepContext<{ readonly serverId: string }>): Promise<void> {
  const { fence, n } = ctx.next();
  await network.bind({ serverId: ctx.input.serverId, host: '', fence, seq: n });
}
