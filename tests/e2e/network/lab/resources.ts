/** What the network API takes and gives, as far as labs use it. */

export interface SubnetOptions {
  readonly cidr: string;
  readonly [attribute: string]: unknown;
}

export interface NetworkOptions {
  readonly subnets: readonly SubnetOptions[];
  readonly [attribute: string]: unknown;
}

export interface Subnet {
  readonly id: string;
  readonly cidr: string;
  readonly gateway_ip: string | null;
}

export interface Network {
  readonly id: string;
  readonly mtu: number;
  readonly subnets: readonly Subnet[];
}

export interface Port {
  readonly id: string;
  readonly mac_address: string;
  readonly status: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
}

export interface Rule {
  readonly direction: 'ingress' | 'egress';
  readonly ethertype?: 'IPv4' | 'IPv6';
  readonly protocol?: string;
  readonly port_range_min?: number;
  readonly port_range_max?: number;
  readonly remote_ip_prefix?: string;
  readonly remote_group_id?: string;
}

export interface GroupOptions {
  readonly rules: readonly Rule[];
  readonly stateful?: boolean;
}

export interface Server {
  readonly id: string;
  readonly status: string;
  readonly 'OS-EXT-SRV-ATTR:host'?: string;
}

/** What runs servers on a node. */
export interface Service {
  readonly host: string;
  readonly zone: string;
}

/** Where the cloud ends: the machine is the gateway there. */
export interface External {
  readonly networkId: string;
  readonly gateway: string;
}

export interface Router {
  readonly id: string;
  readonly external_gateway_info: {
    readonly external_fixed_ips: readonly { readonly ip_address: string }[];
  } | null;
}

export interface FloatingIp {
  readonly id: string;
  readonly floating_ip_address: string;
  readonly status: string;
}
