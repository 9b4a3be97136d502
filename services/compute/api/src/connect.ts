/** The peers of a running process, over mutual TLS. */
import { agentV1, imageV1, networkGroupsV1, networkV1, restV1 } from '#libs/contract';
import type { ServiceConfig } from '#libs/platform/config';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import { agentCertificateOf } from '#services/compute/domain';
import { Peers } from './books.js';
import { ForeignApi } from './foreign-api.js';

type Agent = Remote<typeof agentV1.NodeService>;
type NodeAddress = Parameters<Peers['agentOf']>[0];
const AGENTS_KEPT = 256;

/** One connection for each agent, the least lately used one closed beyond a number. */
export function connectAgents(tls: ServiceConfig['tls']): (node: NodeAddress) => Agent {
  const known = new Map<string, Agent>();
  return ({ name, agentGrpc }) => {
    const key = `${name} ${agentGrpc}`;
    const agent = known.get(key) ?? connectGrpc(agentV1.NodeService, [agentGrpc], agentCertificateOf(name), tls);
    known.delete(key);
    known.set(key, agent);
    const [oldest] = known;
    if (known.size > AGENTS_KEPT && oldest) {
      known.delete(oldest[0]);
      oldest[1].close();
    }
    return agent;
  };
}

export function connectPeers(
  { peers, tls }: Pick<ServiceConfig, 'peers' | 'tls'>,
  agentOf: Peers['agentOf'] = connectAgents(tls),
): Peers {
  const network = peers['network'] ?? [];
  const image = peers['image'] ?? [];
  const apiOf = (name: string, addresses: readonly string[]) =>
    new ForeignApi(connectGrpc(restV1.RestService, addresses, name, tls));
  return new Peers(
    connectGrpc(networkV1.PortsService, network, 'network', tls),
    connectGrpc(networkGroupsV1.GroupsService, network, 'network', tls),
    connectGrpc(imageV1.ImagesService, image, 'image', tls),
    agentOf,
    apiOf('image', image),
    apiOf('network', network),
  );
}
