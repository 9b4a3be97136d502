/** The port by which a switch reaches a physical network: on every node that has a bridge mapped to it. */
import type { Network } from '../model.js';
import { KIND, mapOf, type NbTables, NETWORK } from './rows.js';

/** Null for a network of tunnels. */
export function localnetRow(network: Network): NbTables['Logical_Switch_Port'] | null {
  if (network.physicalNetwork === null) return null;
  return {
    name: `localnet_${network.id}`,
    type: 'localnet',
    addresses: new Set(['unknown']),
    port_security: new Set(),
    enabled: network.adminStateUp,
    options: mapOf({ network_name: network.physicalNetwork }),
    parent_name: null,
    tag_request: network.segmentationId,
    dhcpv4_options: null,
    dhcpv6_options: null,
    external_ids: mapOf({ [KIND]: 'localnet', [NETWORK]: network.id }),
  };
}
