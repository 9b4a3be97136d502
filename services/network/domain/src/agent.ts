/**
 * The nodes' OVN controllers as agents. What never changes by itself is written down, so that a node that left is still
 * known; whether one is alive follows from how far OVN says it is.
 */
import { type Chassis, zonesOf } from './chassis.js';

/** A node that does not say how far it is for so long counts as dead. */
export const AGENT_DOWN_MS = 75_000;
/** Time between the questions that nodes answer by saying how far they are. */
export const AGENT_BEAT_MS = 30_000;

export interface AgentRecord {
  readonly id: string;
  /** The node's name in OVN. */
  readonly chassis: string;
  readonly host: string;
  readonly isGateway: boolean;
  readonly zones: readonly string[];
  readonly bridgeMappings: string;
  readonly description: string;
  readonly adminStateUp: boolean;
  readonly createdAt: Date;
  /** When OVN first knew the node since it last did not. */
  readonly startedAt: Date;
  /** When OVN did not know it any more; null while it does. */
  readonly leftAt: Date | null;
}

export interface Agent extends AgentRecord {
  readonly alive: boolean;
  /** When it was last heard of, as far as that is known. */
  readonly heardAt: Date | null;
}

/** A node that is up to date is alive; one that lags behind has its time. */
export const isAlive = (chassis: Pick<Chassis, 'caughtUp' | 'heardAt'>, now: Date): boolean =>
  chassis.caughtUp || (chassis.heardAt !== null && now.getTime() - chassis.heardAt.getTime() < AGENT_DOWN_MS);

/** The agents with what OVN says of them now. */
export function agentsNow(records: readonly AgentRecord[], all: readonly Chassis[], now: Date): Agent[] {
  const known = new Map(all.map((chassis) => [chassis.name, chassis]));
  return records.map((record) => {
    const chassis = known.get(record.chassis);
    const alive = chassis !== undefined && isAlive(chassis, now);
    return { ...record, alive, heardAt: chassis?.heardAt ?? record.leftAt ?? record.startedAt };
  });
}

export interface ZoneState {
  readonly name: string;
  readonly available: boolean;
}

/** A zone is available while one of its nodes is meant to be used. Nodes that name no zone are where all zones are. */
export function zoneStates(records: readonly AgentRecord[], all: readonly Chassis[]): ZoneState[] {
  const used = records.filter((record) => record.adminStateUp && record.leftAt === null);
  return zonesOf(all).map((name) => ({
    name,
    available: used.some(({ zones }) => zones.length === 0 || zones.includes(name)),
  }));
}
