/** The nodes as OVN knows them: which physical networks each has a bridge to, and who may be a gateway. */
import { zoneNotFound } from './faults.js';

export interface Chassis {
  readonly id: string;
  /** The name by which ports ask for it. */
  readonly name: string;
  readonly hostname: string;
  readonly physicalNetworks: readonly string[];
  /** As the node has them: `network:bridge`, several separated by commas. */
  readonly bridgeMappings: string;
  readonly isGateway: boolean;
  readonly zones: readonly string[];
  /** When it last said how far it is; null where it never did. */
  readonly heardAt: Date | null;
  /** It has done all that it was asked for. */
  readonly caughtUp: boolean;
}

/** `public:br-ex,other:br-other`: the networks of a node's bridges. Pure. */
export const mappedNetworks = (mappings: string): string[] =>
  mappings
    .split(',')
    .map((mapping) => mapping.split(':')[0]?.trim() ?? '')
    .filter((name) => name !== '');

const ZONES = 'availability-zones=';

/** What a node's CMS options say: whether it is a gateway, and its zones. Pure. */
export function cmsOptions(text: string): { readonly isGateway: boolean; readonly zones: readonly string[] } {
  const parts = text.split(',').map((part) => part.trim());
  const zones = parts.find((part) => part.startsWith(ZONES))?.slice(ZONES.length) ?? '';
  return {
    isGateway: parts.includes('enable-chassis-as-gw'),
    zones: zones.split(':').filter((zone) => zone !== ''),
  };
}

/** True for a node with a bridge to the physical network; tunnels reach every node. */
export const reachesNetwork = (chassis: Chassis, physicalNetwork: string | null): boolean =>
  physicalNetwork === null || chassis.physicalNetworks.includes(physicalNetwork);

/** The names of those that may be gateways to a physical network: those that say so, or all that reach it where none does. */
export function gatewaysTo(all: readonly Chassis[], physicalNetwork: string | null): string[] {
  const reaching = all.filter((chassis) => reachesNetwork(chassis, physicalNetwork));
  const willing = reaching.filter((chassis) => chassis.isGateway);
  return (willing.length > 0 ? willing : reaching).map((chassis) => chassis.name);
}

export const DEFAULT_ZONE = 'nova';

/** The zones that the nodes name, in order; the usual one where they name none. */
export function zonesOf(all: readonly Chassis[]): string[] {
  const named = [...new Set(all.flatMap((chassis) => chassis.zones))].sort();
  return named.length > 0 ? named : [DEFAULT_ZONE];
}

/** The zones of the node of that name; one that names none is where all zones are. */
export function zonesAt(all: readonly Chassis[], name: string): readonly string[] {
  const chassis = all.find((known) => known.name === name);
  if (!chassis) return [];
  return chassis.zones.length > 0 ? chassis.zones : zonesOf(all);
}

/** The zones that were asked for, each once; throws what is not known. */
export function checkedZones(hints: readonly string[], all: readonly Chassis[]): string[] {
  const known = zonesOf(all);
  const unknown = hints.find((hint) => !known.includes(hint));
  if (unknown !== undefined) throw zoneNotFound(unknown);
  return [...new Set(hints)];
}
