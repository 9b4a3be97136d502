/**
 * The network `public`, which leads out of the cloud to the machine: routers have their gateways and floating IPs here;
 * and the pool of prefixes for projects that ask for any network.
 */
import { type Deployment, externalAddress, externalCidr } from '../src/deployment.js';
import { EXTERNAL_NETWORK } from '../src/service-config.js';
import type { Session } from './session.js';

interface Named {
  readonly id: string;
}

export async function seedExternal(admin: Session, d: Deployment): Promise<void> {
  const { networks } = await admin.ask<{ networks: Named[] }>('GET', `/network/v2.0/networks?name=${EXTERNAL_NETWORK}`);
  const network = networks[0] ?? (await makeNetwork(admin));
  const { subnets } = await admin.ask<{ subnets: Named[] }>('GET', `/network/v2.0/subnets?network_id=${network.id}`);
  if (subnets.length === 0) await makeSubnet(admin, d, network);
  const pools = await admin.ask<{ subnetpools: Named[] }>('GET', `/network/v2.0/subnetpools?is_default=true`);
  if (pools.subnetpools.length === 0) await makePool(admin);
}

/** What projects get their subnets from that ask for any network. */
async function makePool(admin: Session): Promise<void> {
  const subnetpool = {
    name: 'default-v4',
    prefixes: ['10.64.0.0/12'],
    default_prefixlen: 26,
    is_default: true,
    shared: true,
  };
  await admin.ask('POST', '/network/v2.0/subnetpools', { subnetpool });
}

async function makeSubnet(admin: Session, d: Deployment, network: Named): Promise<void> {
  const subnet = {
    name: EXTERNAL_NETWORK,
    network_id: network.id,
    ip_version: 4,
    cidr: externalCidr(d),
    gateway_ip: externalAddress(d, 1),
    enable_dhcp: false,
    allocation_pools: [{ start: externalAddress(d, 10), end: externalAddress(d, 250) }],
  };
  await admin.ask('POST', '/network/v2.0/subnets', { subnet });
}

async function makeNetwork(admin: Session): Promise<Named> {
  const network = {
    name: EXTERNAL_NETWORK,
    'router:external': true,
    is_default: true,
    'provider:network_type': 'flat',
    'provider:physical_network': EXTERNAL_NETWORK,
  };
  return (await admin.ask<{ network: Named }>('POST', '/network/v2.0/networks', { network })).network;
}
