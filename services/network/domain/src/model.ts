/** The resources of this service as all of its layers know them. Addresses are canonical text. */
import type { IpVersion } from './address.js';

/** What every resource has that clients make. */
export interface Standard {
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Rises by one with each change that a client can see. */
  readonly revision: number;
  readonly tags: readonly string[];
}

/** With whom a resource is shared: ids of projects, or `*` for everyone. */
export type Targets = readonly string[];
export const EVERYONE = '*';

/** True where a resource with these targets is shared with the project. */
export const reaches = (targets: Targets, projectId: string | undefined): boolean =>
  targets.some((target) => target === EVERYONE || target === projectId);

export type NetworkType = 'geneve' | 'flat' | 'vlan';

export interface Network extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly adminStateUp: boolean;
  /** Who may use the network besides its owner. */
  readonly sharedWith: Targets;
  /** Leads out of the cloud: routers may have their gateway here, floating IPs come from here. */
  readonly external: boolean;
  /** For whom it is such a way out. */
  readonly externalTo: Targets;
  /** The one that is taken where a client asks for any way out. */
  readonly isDefault: boolean;
  readonly mtu: number;
  readonly portSecurity: boolean;
  readonly networkType: NetworkType;
  /** Null for tunnels. */
  readonly physicalNetwork: string | null;
  /** The tunnel's key or the VLAN's id; null where the network is not tagged. */
  readonly segmentationId: number | null;
  /** OVN's key of the network: unique among all networks, and a tunnel's segmentation id. */
  readonly tunnelKey: number;
  /** The QoS policy of ports that have none of their own. */
  readonly qosPolicyId: string | null;
  /** Complete, with its last dot; or empty. */
  readonly dnsDomain: string;
  readonly zoneHints: readonly string[];
  readonly subnetIds: readonly string[];
  /** The address scopes that its subnets are in by their pools, or null. */
  readonly ipv4ScopeId: string | null;
  readonly ipv6ScopeId: string | null;
}

export interface Route {
  readonly destination: string;
  readonly nexthop: string;
}

export interface AddressRange {
  readonly start: string;
  readonly end: string;
}

export type Ipv6Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless';

export interface Subnet extends Standard {
  readonly id: string;
  readonly networkId: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly version: IpVersion;
  readonly cidr: string;
  readonly gateway: string | null;
  readonly dhcp: boolean;
  readonly pools: readonly AddressRange[];
  readonly dns: readonly string[];
  readonly routes: readonly Route[];
  readonly addressMode: Ipv6Mode | null;
  readonly raMode: Ipv6Mode | null;
  /** Owners of devices whose ports get their addresses here; none: ports that no other subnet is for. */
  readonly serviceTypes: readonly string[];
  readonly dnsPublishFixedIp: boolean;
  /** The pool that its prefix is from, or null. */
  readonly poolId: string | null;
  /** Its network's segment, where an operator has associated it, or null. */
  readonly segmentId: string | null;
}

export interface FixedIp {
  readonly subnetId: string;
  readonly address: string;
}

export interface AddressPair {
  readonly mac: string;
  /** An address or a prefix. */
  readonly ip: string;
}

export type PortStatus = 'ACTIVE' | 'DOWN';

/** A port's part in a trunk. */
export interface PortTrunk {
  readonly id: string;
  readonly parentId: string;
  /** Null for the parent itself. */
  readonly vlan: number | null;
  /** What the parent carries; empty beneath it. */
  readonly subports: readonly { readonly portId: string; readonly vlan: number; readonly mac: string }[];
}

export interface DhcpOption {
  readonly name: string;
  readonly value: string;
  readonly version: IpVersion;
}

/** What clients say of a port beyond its addresses, its place and its filtering. */
export interface PortExtras {
  /** Empty, or what its addresses are called in DNS. */
  readonly dnsName: string;
  readonly dnsDomain: string;
  readonly dhcpOptions: readonly DhcpOption[];
  /** Whether a device that follows the link of its uplink should do so. */
  readonly uplinkStatus: boolean;
  /** What a watcher of the packets reports; null where none does. */
  readonly dataPlaneStatus: PortStatus | null;
}
export const NO_EXTRAS: PortExtras = {
  dnsName: '',
  dnsDomain: '',
  dhcpOptions: [],
  uplinkStatus: true,
  dataPlaneStatus: null,
};

export interface Port extends Standard, PortExtras {
  readonly id: string;
  readonly networkId: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly mac: string;
  readonly adminStateUp: boolean;
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly status: PortStatus;
  /** The node that the port is bound to, or empty. */
  readonly host: string;
  readonly vnicType: string;
  readonly profile: Readonly<Record<string, unknown>>;
  readonly portSecurity: boolean;
  readonly addressPairs: readonly AddressPair[];
  /** What DHCP calls the guest, or empty. */
  readonly hostname: string;
  /** Made for a server by compute, so deleted with it. */
  readonly ownedByServer: boolean;
  readonly qosPolicyId: string | null;
  readonly trunk: PortTrunk | null;
  readonly fixedIps: readonly FixedIp[];
  readonly groupIds: readonly string[];
}

export type Direction = 'ingress' | 'egress';
export type Ethertype = 'IPv4' | 'IPv6';

export interface SecurityGroupRule extends Standard {
  readonly id: string;
  readonly groupId: string;
  readonly projectId: string;
  readonly description: string;
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  /** As the client wrote it: a name, a number, or null for any. */
  readonly protocol: string | null;
  /** A port, or the type of an ICMP rule. */
  readonly portMin: number | null;
  /** A port, or the code of an ICMP rule. */
  readonly portMax: number | null;
  readonly remotePrefix: string | null;
  readonly remoteGroupId: string | null;
  readonly remoteAddressGroupId: string | null;
  /** Its group is a project's default one. */
  readonly ofDefaultGroup: boolean;
}

/** A rule that new groups get a copy of. */
export interface DefaultSecurityGroupRule extends Standard {
  readonly id: string;
  readonly description: string;
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  readonly protocol: string | null;
  readonly portMin: number | null;
  readonly portMax: number | null;
  readonly remotePrefix: string | null;
  /** A group, or `PARENT` for the one that gets the copy. */
  readonly remoteGroupId: string | null;
  readonly remoteAddressGroupId: string | null;
  /** Whether default groups of projects get it, and whether others do. */
  readonly inDefault: boolean;
  readonly inOthers: boolean;
}

/** Whether new groups keep connections where nobody says. */
export interface DefaultStatefulness {
  readonly id: string;
  /** Null: for all projects that have none of their own. */
  readonly projectId: string | null;
  readonly stateful: boolean;
}

export interface AddressGroup extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  /** Who may name it in rules besides its owner. */
  readonly sharedWith: Targets;
  /** Prefixes in their normal form. */
  readonly addresses: readonly string[];
}

export interface SecurityGroup extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  /** Who may put ports into it and name it in rules besides its owner. */
  readonly sharedWith: Targets;
  readonly stateful: boolean;
  readonly isDefault: boolean;
  readonly rules: readonly SecurityGroupRule[];
}

/** Owner of the port on each network behind which the metadata service of the guest's own node answers. */
export const METADATA_OWNER = 'network:distributed';
export const metadataDevice = (networkId: string): string => `ovnmeta-${networkId}`;
export const METADATA_ADDRESS = '169.254.169.254';
