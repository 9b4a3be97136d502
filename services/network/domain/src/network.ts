/** What makes a network valid: how it is carried, and who sees it. */
import { badAttribute, invalidInput, mtuTooSmall } from './faults.js';
import { type Network, type NetworkType, reaches } from './model.js';

/** The highest key of a tenant's tunnel; those above are routers'. */
export const MOST_TUNNEL_KEY = 8_388_607;
const MOST_VLAN = 4094;
export const LEAST_MTU = 68;

export type VlanRange = readonly [first: number, last: number];

export interface PhysicalNetwork {
  readonly name: string;
  readonly mtu: number;
  /** The ids of networks that name none. */
  readonly vlans?: VlanRange | undefined;
}

/** A network's carrier as asked for; undefined where the client did not say. */
export interface SegmentWish {
  readonly type?: string | undefined;
  readonly physicalNetwork?: string | undefined;
  readonly segmentationId?: number | undefined;
}

export interface Segment {
  readonly networkType: NetworkType;
  readonly physicalNetwork: string | null;
  /** Undefined: the next free one of a tunnel or of the VLANs, none of a flat network. */
  readonly segmentationId: number | undefined;
  /** The ids from which a VLAN without one gets its own. */
  readonly vlans: VlanRange | undefined;
  /** The largest MTU that it carries. */
  readonly mostMtu: number;
}

/** True for a network that the project may know of, beside its owner. */
export const isVisible = (network: Network, projectId: string | undefined): boolean =>
  reaches(network.sharedWith, projectId) || reaches(network.externalTo, projectId);

/** Decides how a network is carried. Throws what is wrong with the wish. `tunnelMtu` is the fabric's, less headers. */
export function shapeSegment(wish: SegmentWish, known: readonly PhysicalNetwork[], tunnelMtu: number): Segment {
  const { type = 'geneve', physicalNetwork, segmentationId } = wish;
  if (type === 'geneve') {
    if (physicalNetwork !== undefined)
      throw invalidInput('provider:physical_network cannot be specified for networks of type geneve.');
    inRange(segmentationId, MOST_TUNNEL_KEY, 'geneve');
    return { networkType: 'geneve', physicalNetwork: null, segmentationId, vlans: undefined, mostMtu: tunnelMtu };
  }
  if (type !== 'flat' && type !== 'vlan') throw badNetworkType(type);
  const carrier = carrierOf(type, wish, known);
  if (type === 'flat' && segmentationId !== undefined)
    throw invalidInput('provider:segmentation_id cannot be specified for networks of type flat.');
  const vlans = type === 'vlan' && segmentationId === undefined ? carrier.vlans : undefined;
  if (type === 'vlan' && segmentationId === undefined && !vlans)
    throw invalidInput('provider:segmentation_id required for networks of type vlan.');
  inRange(segmentationId, MOST_VLAN, 'vlan');
  return { networkType: type, physicalNetwork: carrier.name, segmentationId, vlans, mostMtu: carrier.mtu };
}

/** The physical network that was named; for a VLAN of which nothing is said, the first one with ids to give. */
function carrierOf(type: string, wish: SegmentWish, known: readonly PhysicalNetwork[]): PhysicalNetwork {
  const { physicalNetwork, segmentationId } = wish;
  const named = physicalNetwork !== undefined;
  const free = type === 'vlan' && segmentationId === undefined ? known.find(({ vlans }) => vlans) : undefined;
  const carrier = named ? known.find(({ name }) => name === physicalNetwork) : free;
  if (carrier) return carrier;
  if (!named) throw invalidInput(`provider:physical_network required for networks of type ${type}.`);
  throw invalidInput(`physical_network '${physicalNetwork}' unknown for networks of type ${type}.`);
}

function inRange(id: number | undefined, most: number, type: string): void {
  if (id === undefined || (id >= 1 && id <= most)) return;
  throw invalidInput(`provider:segmentation_id ${id} is out of the range 1 to ${most} of networks of type ${type}.`);
}

const badNetworkType = (type: string): Error =>
  badAttribute('provider:network_type', `'${type.slice(0, 32)}' is not in ['flat', 'geneve', 'vlan'].`);

/** The MTU in force: the wish within what the network carries, or all of that. */
export function checkedMtu(wish: number | null | undefined, most: number): number {
  if (wish == null || wish === 0) return most;
  if (wish < LEAST_MTU || wish > most)
    throw invalidInput(`Requested MTU ${wish} is not between ${LEAST_MTU} and ${most}.`);
  return wish;
}

/** What IPv6 needs (RFC 8200, section 5). */
const LEAST_MTU_V6 = 1280;

/** Throws where subnets of that version can not be carried by a network of the MTU. */
export function checkCarries(network: { readonly id: string; readonly mtu: number }, version: 4 | 6): void {
  if (version === 6 && network.mtu < LEAST_MTU_V6) throw mtuTooSmall(network.id, LEAST_MTU_V6);
}
