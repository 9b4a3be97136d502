/** The network `demo` of project `demo` with its subnet, and the router that leads from there to the network `public`. */
import { EXTERNAL_NETWORK } from '../src/service-config.js';
import type { Session } from './session.js';

const NAME = 'demo';
const CIDR = '192.168.100.0/24';

interface Named {
  readonly id: string;
}

export async function seedNetwork(demo: Session): Promise<void> {
  const network = (await mine(demo, 'networks')) ?? (await makeNetwork(demo));
  const { subnets } = await demo.ask<{ subnets: Named[] }>('GET', `/network/v2.0/subnets?network_id=${network.id}`);
  const subnet = subnets[0] ?? (await makeSubnet(demo, network));
  const router = (await mine(demo, 'routers')) ?? (await makeRouter(demo));
  if (!(await isRouted(demo, network)))
    await demo.ask('PUT', `/network/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
}

async function mine(demo: Session, kind: 'networks' | 'routers'): Promise<Named | undefined> {
  const query = `name=${NAME}&project_id=${demo.projectId}`;
  return (await demo.ask<Record<string, Named[]>>('GET', `/network/v2.0/${kind}?${query}`))[kind]?.[0];
}

async function makeNetwork(demo: Session): Promise<Named> {
  const network = { name: NAME };
  return (await demo.ask<{ network: Named }>('POST', '/network/v2.0/networks', { network })).network;
}

async function makeSubnet(demo: Session, network: Named): Promise<Named> {
  const subnet = { name: NAME, network_id: network.id, ip_version: 4, cidr: CIDR };
  return (await demo.ask<{ subnet: Named }>('POST', '/network/v2.0/subnets', { subnet })).subnet;
}

async function makeRouter(demo: Session): Promise<Named> {
  const query = `name=${EXTERNAL_NETWORK}&router:external=true`;
  const { networks } = await demo.ask<{ networks: Named[] }>('GET', `/network/v2.0/networks?${query}`);
  const [external] = networks;
  if (!external) throw new Error(`the network ${EXTERNAL_NETWORK} is not there: project ${NAME} has no way out`);
  const router = { name: NAME, external_gateway_info: { network_id: external.id } };
  return (await demo.ask<{ router: Named }>('POST', '/network/v2.0/routers', { router })).router;
}

/** Whether a router serves the network, be it another than ours: tenants may arrange it as they like. */
async function isRouted(demo: Session, network: Named): Promise<boolean> {
  const path = `/network/v2.0/ports?network_id=${network.id}&fields=device_owner`;
  const { ports } = await demo.ask<{ ports: { device_owner: string }[] }>('GET', path);
  return ports.some(({ device_owner }) => device_owner.startsWith('network:router_interface'));
}
