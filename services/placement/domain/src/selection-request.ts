/** What a server asks of a node, and what is known beside the providers when one is chosen. */
import type { Amounts } from './inventory.js';

export type GroupPolicy = 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity';

/** The group of servers that it belongs to. */
export interface GroupRule {
  readonly id: string;
  readonly policy: GroupPolicy;
  /** How many of the group may share a node; counts for `anti-affinity`. */
  readonly maxPerHost: number;
}

/** One guest NUMA node, or one of a host. */
export interface NumaCell {
  readonly cpus: number;
  readonly memoryMb: number;
}

export interface NodeRequest {
  readonly resources: Amounts;
  readonly projectId?: string;
  readonly requiredTraits?: readonly string[];
  readonly forbiddenTraits?: readonly string[];
  /** Tried and failed. */
  readonly excludeIds?: readonly string[];
  /** Nodes of servers that it must keep away from. */
  readonly apartIds?: readonly string[];
  /** Only these, where there are any: nodes of servers that it must be beside. */
  readonly amongIds?: readonly string[];
  /** A forced host, or empty. */
  readonly onlyName?: string;
  /** Or empty for any. */
  readonly zone?: string;
  /** Member of one of each list. */
  readonly memberOf?: readonly (readonly string[])[];
  /** Of the flavor, with their namespaces. */
  readonly extraSpecs?: Readonly<Record<string, string>>;
  readonly imageProperties?: Readonly<Record<string, string>>;
  readonly numa?: readonly NumaCell[];
  readonly group?: GroupRule;
}

/** How a node fares, as it was heard of lately. */
export interface Pulse {
  /** Runnable processes for each processor. */
  readonly load: number;
  /** Servers that did not start on it since one did. */
  readonly failures: number;
  readonly failedAt: Date | null;
}

export interface World {
  /** How many other servers of the group each node holds. */
  readonly seats: ReadonlyMap<string, number>;
  readonly pulses: ReadonlyMap<string, Pulse>;
  readonly now: Date;
}

export const QUIET_WORLD: World = { seats: new Map(), pulses: new Map(), now: new Date(0) };
