/**
 * Aggregates: how an operator groups nodes. Their metadata say what is special about the nodes in them: their availability
 * zone, how far they are overcommitted, and whom or what they are kept for.
 */
import { type Failure, fail } from '#libs/kernel';

export interface Aggregate {
  /** The small id that the API shows. */
  readonly number: number;
  /** Of the same aggregate in placement. */
  readonly id: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Names of nodes, in the order in which they came. */
  readonly hosts: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
}

export const ZONE_KEY = 'availability_zone';
export const zoneOf = ({ metadata }: Pick<Aggregate, 'metadata'>): string | null => metadata[ZONE_KEY] ?? null;

/** Physical to virtual. */
export interface Ratios {
  readonly cpu: number;
  readonly ram: number;
  readonly disk: number;
}
const RATIO_KEYS = { cpu: 'cpu_allocation_ratio', ram: 'ram_allocation_ratio', disk: 'disk_allocation_ratio' } as const;
const RATIO = /^\d{1,6}(?:\.\d{1,6})?$/;

/** The smallest ratio that an aggregate of the node names counts, else what is given. */
export function ratiosIn(aggregates: readonly Pick<Aggregate, 'metadata'>[], given: Ratios): Ratios {
  const least = (key: string, byDefault: number): number => {
    const said = aggregates.map(({ metadata }) => metadata[key] ?? '').filter((text) => RATIO.test(text));
    const positive = said.map(Number).filter((ratio) => ratio > 0);
    return positive.length ? Math.min(...positive) : byDefault;
  };
  return {
    cpu: least(RATIO_KEYS.cpu, given.cpu),
    ram: least(RATIO_KEYS.ram, given.ram),
    disk: least(RATIO_KEYS.disk, given.disk),
  };
}

/** Every value that a key has in any of them. */
export function labelsIn(aggregates: readonly Pick<Aggregate, 'metadata'>[]): Record<string, string[]> {
  const entries = aggregates.flatMap(({ metadata }) => Object.entries(metadata));
  const byKey = Map.groupBy(entries, ([key]) => key);
  return Object.fromEntries(
    [...byKey].map(([key, list]) => [key, [...new Set(list.map(([, value]) => value))].sort()]),
  );
}

/** What is known of the nodes whose zone would change. */
export interface ZoneFacts {
  /** Zones that other aggregates give to any of them. */
  readonly otherZones: readonly string[];
  /** Servers are on any of them that the change concerns. */
  readonly occupied: boolean;
}

/** Why the aggregate's nodes can not come into a zone, or undefined. `zone`: what it is to be; null or '' is none. */
export function zoneTrouble(
  aggregate: Pick<Aggregate, 'name' | 'metadata'>,
  zone: string | null,
  { otherZones, occupied }: ZoneFacts,
): string | undefined {
  if (!zone) return `Aggregate ${aggregate.name} does not support empty named availability zone`;
  const conflicts = [...new Set(otherZones.filter((other) => other !== zone))];
  if (conflicts.length)
    return `One or more hosts already in availability zone(s) [${conflicts.map((other) => `'${other}'`).join(', ')}]`;
  if (occupied && zoneOf(aggregate) !== zone) return 'One or more hosts contain instances in this zone';
  return undefined;
}

/** A value that would mean nothing is refused, for it would silently change nothing. */
export function metadataTrouble(metadata: Readonly<Record<string, string | null>>): Failure | undefined {
  const odd = Object.values(RATIO_KEYS).find((key) => {
    const value = metadata[key];
    return value !== undefined && value !== null && !(RATIO.test(value) && Number(value) > 0);
  });
  return odd ? fail.invalid(`The value of ${odd} must be a positive number.`) : undefined;
}
