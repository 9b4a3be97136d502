/** The columns of OVN's northbound database that are read or written here, and plans as its operations. */
import {
  bool,
  type DatabaseSpec,
  integer,
  integerMap,
  type Operation,
  type OvsdbClient,
  optional,
  type Replica,
  reference,
  references,
  setOf,
  text,
  textMap,
} from '#libs/platform/ovsdb';
import type { NbActual, NbHolder, NbMembers, NbOp, NbTable, NbTables, TextSet } from '#services/network/domain';

export const NORTHBOUND = {
  NB_Global: { nb_cfg: integer, sb_cfg: integer, hv_cfg: integer, external_ids: textMap() },
  Logical_Switch: {
    name: text,
    ports: references,
    qos_rules: references,
    dns_records: references,
    load_balancer: references,
    other_config: textMap(),
    external_ids: textMap(),
  },
  Logical_Switch_Port: {
    name: text,
    type: text,
    addresses: setOf<string>('string'),
    port_security: setOf<string>('string'),
    enabled: optional<boolean>('boolean'),
    up: optional<boolean>('boolean'),
    options: textMap(),
    parent_name: optional<string>('string'),
    tag_request: optional<number>('integer'),
    dhcpv4_options: reference,
    dhcpv6_options: reference,
    external_ids: textMap(),
  },
  DHCP_Options: { cidr: text, options: textMap(), external_ids: textMap() },
  Port_Group: { name: text, ports: references, acls: references, external_ids: textMap() },
  ACL: {
    direction: text,
    priority: integer,
    match: text,
    action: text,
    log: bool,
    options: textMap(),
    external_ids: textMap(),
  },
  Address_Set: { name: text, addresses: setOf<string>('string'), external_ids: textMap() },
  QoS: {
    direction: text,
    priority: integer,
    match: text,
    action: integerMap(),
    bandwidth: integerMap(),
    external_ids: textMap(),
  },
  DNS: { records: textMap(), options: textMap(), external_ids: textMap() },
  Logical_Router: {
    name: text,
    enabled: optional<boolean>('boolean'),
    ports: references,
    static_routes: references,
    nat: references,
    load_balancer: references,
    options: textMap(),
    external_ids: textMap(),
  },
  Logical_Router_Port: {
    name: text,
    mac: text,
    networks: setOf<string>('string'),
    enabled: optional<boolean>('boolean'),
    gateway_chassis: references,
    ipv6_ra_configs: textMap(),
    options: textMap(),
    status: textMap(),
    external_ids: textMap(),
  },
  Logical_Router_Static_Route: {
    ip_prefix: text,
    nexthop: text,
    output_port: optional<string>('string'),
    policy: optional<string>('string'),
    external_ids: textMap(),
  },
  NAT: {
    type: text,
    external_ip: text,
    external_mac: optional<string>('string'),
    external_port_range: text,
    logical_ip: text,
    logical_port: optional<string>('string'),
    options: textMap(),
    external_ids: textMap(),
  },
  Gateway_Chassis: { name: text, chassis_name: text, priority: integer, external_ids: textMap() },
  Load_Balancer: {
    name: text,
    vips: textMap(),
    protocol: optional<string>('string'),
    options: textMap(),
    external_ids: textMap(),
  },
} satisfies DatabaseSpec;

export type Northbound = typeof NORTHBOUND;
export type NbClient = OvsdbClient<Northbound>;

const NONE: TextSet = new Set();

/** The replica as plans see it. */
export class NbReplica implements NbActual {
  constructor(private readonly replica: Replica<Northbound>) {}

  row<T extends NbTable>(table: T, uuid: string): NbTables[T] | undefined {
    return this.replica.row(table, uuid) as NbTables[T] | undefined;
  }

  members<T extends NbHolder>(table: T, uuid: string, column: NbMembers[T]): TextSet {
    const row = this.replica.row(table, uuid) as Readonly<Record<string, TextSet>> | undefined;
    return row?.[column] ?? NONE;
  }
}

/** The operations of OVSDB for those of a plan. */
export function encode(client: Pick<NbClient, 'ops'>, plan: readonly NbOp[]): Operation[] {
  const { ops } = client;
  return plan.map((op) => {
    if (op.kind === 'insert') return ops.insert(op.table, op.uuid, op.values);
    if (op.kind === 'update') return ops.update(op.table, op.uuid, op.values);
    if (op.kind === 'delete') return ops.delete(op.table, op.uuid);
    const mutator = op.kind === 'add' ? 'insert' : 'delete';
    return ops.mutateSet(op.table, op.uuid, op.column as never, mutator, op.members);
  });
}
