/**
 * The rows of OVN's northbound database that are ours, as far as we set their columns. A row's id is the id of what it
 * stands for: network = switch, port = switch port, subnet = DHCP options, group = port group, rule = ACL, router =
 * router, floating IP = NAT; a row for a relation has an id that follows from both ends (`rowId`). So rows refer to each
 * other without a look-up, and an insert that is sent twice is refused instead of doubled.
 */
export type TextMap = ReadonlyMap<string, string>;
export type TextSet = ReadonlySet<string>;

export interface NbTables {
  Logical_Switch: { readonly name: string; readonly other_config: TextMap; readonly external_ids: TextMap };
  Logical_Switch_Port: {
    readonly name: string;
    readonly type: string;
    readonly addresses: TextSet;
    readonly port_security: TextSet;
    readonly enabled: boolean | null;
    readonly options: TextMap;
    readonly parent_name: string | null;
    readonly tag_request: number | null;
    readonly dhcpv4_options: string | null;
    readonly dhcpv6_options: string | null;
    readonly external_ids: TextMap;
  };
  DHCP_Options: { readonly cidr: string; readonly options: TextMap; readonly external_ids: TextMap };
  Port_Group: { readonly name: string; readonly external_ids: TextMap };
  Address_Set: { readonly name: string; readonly addresses: TextSet; readonly external_ids: TextMap };
  ACL: {
    readonly direction: string;
    readonly priority: number;
    readonly match: string;
    readonly action: string;
    readonly external_ids: TextMap;
  };
  QoS: {
    readonly direction: string;
    readonly priority: number;
    readonly match: string;
    /** `dscp` and its value. */
    readonly action: ReadonlyMap<string, number>;
    /** `rate` in kbit/s and `burst` in kbit. */
    readonly bandwidth: ReadonlyMap<string, number>;
    readonly external_ids: TextMap;
  };
  DNS: { readonly records: TextMap; readonly options: TextMap; readonly external_ids: TextMap };
  Logical_Router: {
    readonly name: string;
    readonly enabled: boolean | null;
    readonly options: TextMap;
    readonly external_ids: TextMap;
  };
  Logical_Router_Port: {
    readonly name: string;
    readonly mac: string;
    readonly networks: TextSet;
    readonly enabled: boolean | null;
    readonly ipv6_ra_configs: TextMap;
    readonly options: TextMap;
    readonly external_ids: TextMap;
  };
  Logical_Router_Static_Route: {
    readonly ip_prefix: string;
    readonly nexthop: string;
    readonly output_port: string | null;
    readonly policy: string | null;
    readonly external_ids: TextMap;
  };
  NAT: {
    readonly type: string;
    readonly external_ip: string;
    readonly external_mac: string | null;
    readonly external_port_range: string;
    readonly logical_ip: string;
    readonly logical_port: string | null;
    readonly options: TextMap;
    readonly external_ids: TextMap;
  };
  Gateway_Chassis: {
    readonly name: string;
    readonly chassis_name: string;
    readonly priority: number;
    readonly external_ids: TextMap;
  };
  Load_Balancer: {
    readonly name: string;
    readonly vips: TextMap;
    readonly protocol: string | null;
    readonly options: TextMap;
    readonly external_ids: TextMap;
  };
}
export type NbTable = keyof NbTables;

/** Sets of references that rows hold; they are changed member by member, never replaced. */
export interface NbMembers {
  Logical_Switch: 'ports' | 'qos_rules' | 'dns_records' | 'load_balancer';
  Port_Group: 'ports' | 'acls';
  Logical_Router: 'ports' | 'static_routes' | 'nat' | 'load_balancer';
  Logical_Router_Port: 'gateway_chassis';
}
export type NbHolder = keyof NbMembers;
export type NbColumn = NbMembers[NbHolder];

/** Which rows are in each of these sets. */
export const NB_MEMBERS: readonly (readonly [holder: NbHolder, column: NbColumn, table: NbTable])[] = [
  ['Logical_Switch', 'ports', 'Logical_Switch_Port'],
  ['Logical_Switch', 'qos_rules', 'QoS'],
  ['Logical_Switch', 'dns_records', 'DNS'],
  ['Logical_Switch', 'load_balancer', 'Load_Balancer'],
  ['Port_Group', 'ports', 'Logical_Switch_Port'],
  ['Port_Group', 'acls', 'ACL'],
  ['Logical_Router', 'ports', 'Logical_Router_Port'],
  ['Logical_Router', 'static_routes', 'Logical_Router_Static_Route'],
  ['Logical_Router', 'nat', 'NAT'],
  ['Logical_Router', 'load_balancer', 'Load_Balancer'],
  ['Logical_Router_Port', 'gateway_chassis', 'Gateway_Chassis'],
];

/** What is in the database now. */
export interface NbActual {
  row<T extends NbTable>(table: T, uuid: string): NbTables[T] | undefined;
  members<T extends NbHolder>(table: T, uuid: string, column: NbMembers[T]): TextSet;
}

export type NbOp =
  | { readonly kind: 'insert'; readonly table: NbTable; readonly uuid: string; readonly values: NbTables[NbTable] }
  | {
      readonly kind: 'update';
      readonly table: NbTable;
      readonly uuid: string;
      readonly values: Partial<NbTables[NbTable]>;
    }
  | {
      readonly kind: 'add' | 'remove';
      readonly table: NbHolder;
      readonly uuid: string;
      readonly column: NbColumn;
      readonly members: readonly string[];
    }
  | { readonly kind: 'delete'; readonly table: NbTable; readonly uuid: string };

/** The mark in `external_ids` by which our rows are told from others'; its value is the kind of resource. */
export const KIND = 'yagura:kind';
/** On a row whose id is not the resource's: the resource that it stands for. */
export const OWNER = 'yagura:owner';
/** On a port: the network it is on, and the groups it was last put into. */
export const NETWORK = 'yagura:network';
/** On what belongs to a router: its id. */
export const ROUTER = 'yagura:router';
export const GROUPS = 'yagura:groups';

export const mapOf = (entries: Readonly<Record<string, string>>): TextMap => new Map(Object.entries(entries));
