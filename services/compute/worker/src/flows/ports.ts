/** A server's ports, as network is asked for them and as compute keeps them. */
import { networkV1 } from '#libs/contract';
import type { StepContext } from '#libs/platform/flow';
import type { Interface, Nic, SecurityGroup, ServerCreateInput } from '#services/compute/domain';
import type { Network } from '../peers.js';
import type { Placed } from './claim.js';
import { orFinal } from './final.js';

/** What is shown of a server's ports, kept beside it so that reads ask nobody. */
export interface KeptPorts {
  readonly addresses: readonly Interface[];
  readonly securityGroups: readonly SecurityGroup[];
}

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

/** In the order in which they were asked for, with the tags that only compute knows. */
export function keptPorts({ ports }: networkV1.ServerPorts, nics: readonly Nic[]): KeptPorts {
  const wanted = new Map(nics.map((nic, index) => [nic.portId, { index, tag: nic.tag }]));
  const place = (id: string): number => wanted.get(id)?.index ?? nics.length;
  const addresses = [...ports]
    .sort((a, b) => place(a.id) - place(b.id))
    .map((port) => interfaceOf(port, wanted.get(port.id)?.tag ?? ''));
  const groups = new Map(ports.flatMap((port) => port.securityGroups).map(({ id, name }) => [id, { id, name }]));
  return { addresses, securityGroups: [...groups.values()] };
}

const interfaceOf = (port: networkV1.Port, tag: string): Interface => ({
  portId: port.id,
  networkId: port.networkId,
  network: port.networkName,
  mac: port.mac,
  mtu: port.mtu,
  adopted: port.adopted,
  tag,
  fixedIps: port.fixedIps.map(({ subnetId, address, version }) => ({
    subnetId,
    address,
    version: version === 6 ? 6 : 4,
  })),
});
