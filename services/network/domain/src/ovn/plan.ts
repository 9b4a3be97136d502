/**
 * From what should be to the operations that bring it about. A plan gathers any number of resources into one
 * transaction; it inserts what is missing, changes only the columns that differ, and removes only what it is told is
 * gone. Planning again over the result gives no operations.
 */
import { FLOATING_OWNER } from '../device-owner.js';
import type { Network, Port, SecurityGroup, Subnet } from '../model.js';
import { GUARD_ID, groupAcls, groupRow, guardAcls, guardRow } from './acl.js';
import { type DhcpContext, dhcpRow, portDhcpRow } from './dhcp.js';
import { dnsRow } from './dns-row.js';
import { localnetRow } from './localnet.js';
import {
  effectiveGroups,
  hasOwnDhcp,
  isGuarded,
  ownDhcpId,
  type PortContext,
  portRow,
  servingSubnet,
} from './port-row.js';
import { RELATION, rowId } from './row-id.js';
import {
  GROUPS,
  KIND,
  mapOf,
  NB_MEMBERS,
  type NbActual,
  type NbColumn,
  type NbHolder,
  type NbMembers,
  type NbOp,
  type NbTable,
  type NbTables,
  NETWORK,
} from './rows.js';

interface Members {
  readonly table: NbHolder;
  readonly uuid: string;
  readonly column: NbColumn;
  readonly add: Set<string>;
  readonly remove: Set<string>;
}

export class NbPlan {
  private readonly rows = new Map<string, NbOp>();
  private readonly deletes: NbOp[] = [];
  private readonly members = new Map<string, Members>();

  constructor(private readonly actual: NbActual) {}

  /** The row as it is in OVN now, for what only it tells. */
  actualRow<T extends NbTable>(table: T, uuid: string): NbTables[T] | undefined {
    return this.actual.row(table, uuid);
  }

  /** The guard group: needed before any port. */
  guard(): this {
    this.put('Port_Group', GUARD_ID, guardRow);
    this.acls(GUARD_ID, guardAcls);
    return this;
  }

  network(network: Network): this {
    this.put('Logical_Switch', network.id, {
      name: `net_${network.id}`,
      other_config: mapOf({ 'requested-tnl-key': String(network.tunnelKey) }),
      external_ids: mapOf({ [KIND]: 'network', 'yagura:project': network.projectId }),
    });
    const localnet = rowId(RELATION.localnet, network.id);
    const row = localnetRow(network);
    if (row) this.put('Logical_Switch_Port', localnet, row).join('Logical_Switch', network.id, 'ports', localnet);
    return this;
  }

  subnet(subnet: Subnet, context: DhcpContext): this {
    const row = dhcpRow(subnet, context);
    return row ? this.put('DHCP_Options', subnet.id, row) : this.gone('DHCP_Options', subnet.id);
  }

  group(group: SecurityGroup): this {
    this.put('Port_Group', group.id, groupRow(group.id, group.projectId));
    this.acls(group.id, groupAcls(group));
    return this;
  }

  /** `known` are the port groups that hold the port now, where the caller has looked; else those it was last put into. */
  port(port: Port, context: PortContext, known?: Iterable<string>): this {
    // The port of a floating IP only holds an address: the router answers for it.
    if (port.deviceOwner === FLOATING_OWNER) return this.portGone(port.id);
    const before = this.actual.row('Logical_Switch_Port', port.id);
    this.put('Logical_Switch_Port', port.id, portRow(port, context));
    this.join('Logical_Switch', port.networkId, 'ports', port.id);
    const wanted = new Set([...effectiveGroups(port), ...(isGuarded(port) ? [GUARD_ID] : [])]);
    for (const group of wanted) this.join('Port_Group', group, 'ports', port.id);
    for (const group of known ?? [GUARD_ID, ...recordedGroups(before)]) {
      if (!wanted.has(group)) this.leave('Port_Group', group, 'ports', port.id);
    }
    return this;
  }

  /** What DHCP answers the port otherwise than its subnet says; `contextOf` tells of that subnet. */
  portDhcp(port: Port, subnets: readonly Subnet[], contextOf: (subnet: Subnet) => DhcpContext): this {
    for (const version of [4, 6] as const) {
      const subnet = hasOwnDhcp(port, version) ? servingSubnet(port, { subnets }, version) : undefined;
      const row = subnet ? portDhcpRow(port, subnet, contextOf(subnet)) : null;
      const id = ownDhcpId(port.id, version);
      if (row) this.put('DHCP_Options', id, row);
      else this.gone('DHCP_Options', id);
    }
    return this;
  }

  /** What the port's addresses are called, on its network; OVN answers for them. */
  portNames(port: Port, network: Pick<Network, 'dnsDomain'>): this {
    const id = rowId(RELATION.dns, port.id);
    const row = dnsRow(port, network);
    if (!row) return this.gone('DNS', id);
    return this.put('DNS', id, row).join('Logical_Switch', port.networkId, 'dns_records', id);
  }

  /** A port that is no more: its switch lets go of it, and the database drops it with its memberships. */
  portGone(id: string): this {
    const network = this.actual.row('Logical_Switch_Port', id)?.external_ids.get(NETWORK);
    if (network !== undefined) this.leave('Logical_Switch', network, 'ports', id);
    for (const version of [4, 6] as const) this.gone('DHCP_Options', ownDhcpId(id, version));
    return this.gone('DNS', rowId(RELATION.dns, id));
  }

  /** A row that is no more. */
  gone(table: Exclude<NbTable, 'Logical_Switch_Port' | 'ACL'>, uuid: string): this {
    if (this.actual.row(table, uuid)) this.deletes.push({ kind: 'delete', table, uuid });
    return this;
  }

  /** The operations in an order that the database accepts. */
  operations(): NbOp[] {
    const changes = [...this.members.values()].flatMap(({ add, remove, ...where }): NbOp[] => [
      ...(add.size > 0 ? [{ kind: 'add' as const, ...where, members: [...add] }] : []),
      ...(remove.size > 0 ? [{ kind: 'remove' as const, ...where, members: [...remove] }] : []),
    ]);
    return [...this.rows.values(), ...changes, ...this.deletes];
  }

  /** A row with these values: inserted where it is missing, changed where it differs. The first word counts. */
  put<T extends NbTable>(table: T, uuid: string, values: NbTables[T]): this {
    const key = `${table} ${uuid}`;
    if (this.rows.has(key)) return this;
    const actual = this.actual.row(table, uuid);
    if (!actual) {
      this.rows.set(key, { kind: 'insert', table, uuid, values });
      return this;
    }
    const different = differences(values, actual);
    if (Object.keys(different).length > 0) this.rows.set(key, { kind: 'update', table, uuid, values: different });
    return this;
  }

  private acls(group: string, wanted: ReadonlyMap<string, NbTables['ACL']>): void {
    for (const [uuid, row] of wanted) {
      this.put('ACL', uuid, row);
      this.join('Port_Group', group, 'acls', uuid);
    }
    this.retain('Port_Group', group, 'acls', new Set(wanted.keys()));
  }

  /** Makes the row a member of a set that another row holds. */
  join<T extends NbHolder>(table: T, uuid: string, column: NbMembers[T], member: string): this {
    if (!this.actual.members(table, uuid, column).has(member)) this.changes(table, uuid, column).add.add(member);
    return this;
  }

  /** Ends a membership. A row that nothing holds any more vanishes by itself where its table is no root of OVN's. */
  leave<T extends NbHolder>(table: T, uuid: string, column: NbMembers[T], member: string): this {
    if (this.actual.members(table, uuid, column).has(member)) this.changes(table, uuid, column).remove.add(member);
    return this;
  }

  /** Ends the memberships of all but the wanted, and of rows that are not ours: those are others' to take away. */
  retain<T extends NbHolder>(table: T, uuid: string, column: NbMembers[T], wanted: ReadonlySet<string>): this {
    const [, , members] = NB_MEMBERS.find(([holder, name]) => holder === table && name === column)!;
    for (const member of this.actual.members(table, uuid, column)) {
      const ours = this.actual.row(members, member)?.external_ids.has(KIND) ?? true;
      if (ours && !wanted.has(member)) this.leave(table, uuid, column, member);
    }
    return this;
  }

  private changes(table: NbHolder, uuid: string, column: NbColumn): Members {
    const key = `${table} ${uuid} ${column}`;
    const known = this.members.get(key) ?? { table, uuid, column, add: new Set(), remove: new Set() };
    this.members.set(key, known);
    return known;
  }
}

const recordedGroups = (row: NbTables['Logical_Switch_Port'] | undefined): string[] =>
  (row?.external_ids.get(GROUPS) ?? '').split(' ').filter((id) => id !== '');

function equal(a: unknown, b: unknown): boolean {
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every((item) => b.has(item));
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
  return a === b;
}

/** The columns of `wanted` whose value is another in `actual`. */
function differences<T extends object>(wanted: T, actual: T): Partial<T> {
  const entries = Object.entries(wanted).filter(([column, value]) => !equal(value, actual[column as keyof T]));
  return Object.fromEntries(entries) as Partial<T>;
}
