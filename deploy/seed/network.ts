/** The network `demo` of project `demo`, with its subnet. */
import type { Session } from './session.js';

const NAME = 'demo';
const CIDR = '192.168.100.0/24';

interface Named {
  readonly id: string;
}

export async function seedNetwork(demo: Session): Promise<void> {
  const mine = `name=${NAME}&project_id=${demo.projectId}`;
  const { networks } = await demo.ask<{ networks: Named[] }>('GET', `/network/v2.0/networks?${mine}`);
  const network =
    networks[0] ??
    (await demo.ask<{ network: Named }>('POST', '/network/v2.0/networks', { network: { name: NAME } })).network;
  const { subnets } = await demo.ask<{ subnets: Named[] }>('GET', `/network/v2.0/subnets?network_id=${network.id}`);
  if (subnets.length > 0) return;
  const subnet = { name: NAME, network_id: network.id, ip_version: 4, cidr: CIDR };
  await demo.ask('POST', '/network/v2.0/subnets', { subnet });
}
