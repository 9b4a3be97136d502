/**
 * A realizer brings some kinds of resources into OVN. It reads what the books say of the marked ones, with whatever they
 * stand on that OVN does not have yet, and adds all of it to one plan; so marks may be worked off in any order and in
 * any portion, and a repeated one changes nothing.
 */
import type { Sql } from '#libs/platform/db';
import type { MarkKind, NetworkBooks } from '#services/network/data';
import type { Chassis, NbActual, NbPlan } from '#services/network/domain';
import type { Northbound } from './northbound.js';

export interface Subject {
  readonly kind: MarkKind;
  readonly id: string;
}

export interface PlanOptions {
  readonly defaultDns: readonly string[];
  /** The nodes as OVN knows them; none while it can not be asked. */
  readonly chassis: () => readonly Chassis[];
  /** The port groups that hold a port now; without it those that it was last put into. */
  readonly groupsOf?: (portId: string) => Iterable<string>;
}

/** What a realizer works with. */
export interface Planning {
  readonly books: NetworkBooks;
  readonly on: Sql;
  readonly actual: NbActual;
  readonly plan: NbPlan;
  readonly options: PlanOptions;
  /** The marked resources of a kind. */
  ids(kind: MarkKind): readonly string[];
}

/** Rows of OVN that stand for resources of one kind: they bear their ids, or say them as their owner. */
export interface OwnRows {
  readonly kind: MarkKind;
  readonly table: keyof Northbound &
    ('Logical_Switch' | 'Logical_Switch_Port' | 'DHCP_Options' | 'Port_Group' | RootTable);
  /** The marks by which such rows are told. */
  readonly marks: readonly string[];
  /** They say their resource as their owner. */
  readonly byOwner?: boolean;
}
type RootTable = 'Logical_Router' | 'NAT' | 'Address_Set' | 'Load_Balancer' | 'DNS' | 'QoS';

export interface Realizer {
  /** The kinds of marks that it works off; each is the name of its table in the books, too. */
  readonly kinds: readonly MarkKind[];
  readonly rows: readonly OwnRows[];
  plan(planning: Planning): Promise<void>;
}

/** The marked ids of a kind that are not in the books any more. */
export function absent(planning: Planning, kind: MarkKind, present: readonly { readonly id: string }[]): string[] {
  const ids = new Set(present.map((row) => row.id));
  return planning.ids(kind).filter((id) => !ids.has(id));
}
