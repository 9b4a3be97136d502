/** Ports that this service makes for what it serves: plain, unguarded, bound to no node by hand. */
import type { IpWish, Network, Subnet } from '#services/network/domain';
import type { PortDraft } from './port.store.js';

export interface ServedPort {
  readonly id: string;
  /** Empty for ports that are no tenant's. */
  readonly projectId: string;
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly network: Network;
  /** All subnets of the network. */
  readonly subnets: readonly Subnet[];
  readonly wishes: readonly IpWish[] | undefined;
}

export const servedPort = ({ network, ...port }: ServedPort): PortDraft => ({
  ...port,
  networkId: network.id,
  name: '',
  description: '',
  mac: undefined,
  adminStateUp: true,
  host: '',
  vnicType: 'normal',
  profile: {},
  portSecurity: false,
  addressPairs: [],
  hostname: '',
  ownedByServer: false,
  groupIds: [],
  qosPolicyId: null,
  networkProjectId: network.projectId,
  networkQosPolicyId: network.qosPolicyId,
  networkDnsDomain: network.dnsDomain,
});
