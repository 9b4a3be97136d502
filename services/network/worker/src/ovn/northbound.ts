/** The columns of OVN's northbound database that are read or written here, and plans as its operations. */
import {
  bool,
  type DatabaseSpec,
  integer,
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
  Logical_Switch: { name: text, ports: references, other_config: textMap(), external_ids: textMap() },
  Logical_Switch_Port: {
    name: text,
    type: text,
    addresses: setOf<string>('string'),
    port_security: setOf<string>('string'),
    enabled: optional<boolean>('boolean'),
    up: optional<boolean>('boolean'),
    options: textMap(),
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
    if (op.table === 'Logical_Switch') return ops.mutateSet(op.table, op.uuid, 'ports', mutator, op.members);
    return ops.mutateSet(op.table, op.uuid, op.column, mutator, op.members);
  });
}
