/** Trunks: a port whose guest sees further networks as VLANs, each through a port of its own (a subport). */
import { type Failure, fail, isUuid } from '#libs/kernel';
import { invalidInput, portInUse, portNotFound } from './faults.js';
import type { Network, Port, PortTrunk, Standard } from './model.js';
import { isOfTheCloud } from './qos.js';

/** ACTIVE when all of its ports are up, BUILD while subports are missing, DOWN while its parent is down. */
export type TrunkStatus = 'ACTIVE' | 'BUILD' | 'DOWN';

export interface Subport {
  readonly portId: string;
  readonly vlan: number;
}

export interface Trunk extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  /** False: nothing of it may be changed. What it carries goes on. */
  readonly adminStateUp: boolean;
  /** The parent. */
  readonly portId: string;
  readonly subports: readonly Subport[];
  readonly status: TrunkStatus;
}

export const SUBPORT_OWNER = 'trunk:subport';
const MOST_VLAN = 4094;

const conflict = (type: string, message: string): Failure => fail.conflict(message, { type });
export const trunkNotFound = (id: string): Failure =>
  fail.notFound(`Trunk ${id} could not be found.`, { type: 'TrunkNotFound' });
export const subportNotFound = (trunk: string, port: string): Failure =>
  fail.notFound(`Trunk ${trunk} has no subport ${port}.`, { type: 'SubPortNotFound' });
export const trunkDisabled = (id: string): Failure => conflict('TrunkDisabled', `Trunk ${id} is disabled.`);
export const duplicateSubport = (trunk: string): Failure =>
  conflict('DuplicateSubPort', `A VLAN is in use on trunk ${trunk} already.`);
const trunkPortInUse = (port: string) => conflict('TrunkPortInUse', `Port ${port} is in use by another trunk.`);
const parentPortInUse = (port: string) =>
  conflict('ParentPortInUse', `Port ${port} is in use and can not become part of a trunk.`);

/** Why a port that is part of a trunk can not be deleted. */
export const portOfTrunk = (port: string, { id, vlan }: Pick<PortTrunk, 'id' | 'vlan'>): Failure =>
  vlan === null
    ? conflict('PortInUseAsTrunkParent', `Port ${port} is the parent of trunk ${id}.`)
    : conflict('PortInUseAsSubPort', `Port ${port} is a subport of trunk ${id}.`);

/** A subport as asked for. */
export interface SubportWish {
  readonly portId: string;
  readonly type?: string | undefined;
  readonly vlan?: number | undefined;
}

/** Throws what is wrong with the wishes by themselves: VLANs and ports are named once, and make sense. */
export function checkSubportWishes(wishes: readonly SubportWish[]): void {
  const ports = new Set<string>();
  const vlans = new Set<number>();
  for (const { portId, type, vlan } of wishes) {
    if (!isUuid(portId)) throw invalidInput(`'${portId.slice(0, 100)}' is no id of a port.`);
    if (ports.has(portId.toLowerCase())) throw invalidInput(`Subport ${portId} is named twice.`);
    ports.add(portId.toLowerCase());
    if (type === 'inherit') continue;
    if (type === undefined || vlan === undefined)
      throw invalidInput(`Subport ${portId} needs both segmentation_type and segmentation_id.`);
    if (type !== 'vlan') throw invalidInput(`The segmentation_type '${type.slice(0, 100)}' is not known.`);
    if (vlan < 1 || vlan > MOST_VLAN) throw invalidInput(`The segmentation_id ${vlan} is not in the range 1 to 4094.`);
    if (vlans.has(vlan)) throw invalidInput(`The segmentation_id ${vlan} is named twice.`);
    vlans.add(vlan);
  }
}

/** What deciding about a trunk needs to know: ports by id, networks by id. */
export interface TrunkGround {
  readonly ports: ReadonlyMap<string, Port>;
  readonly networks: ReadonlyMap<string, Pick<Network, 'mtu' | 'networkType' | 'segmentationId'>>;
}

/** The port that will be a trunk's parent. Throws what keeps it from that. */
export function fitParent(portId: string, { ports }: TrunkGround): Port {
  const port = ports.get(portId);
  if (!port) throw portNotFound(portId);
  if (port.trunk) throw port.trunk.vlan === null ? parentPortInUse(portId) : trunkPortInUse(portId);
  if (isOfTheCloud(port)) throw parentPortInUse(portId);
  return port;
}

/** The subports with their VLANs. Throws what keeps one of them from being carried by the parent. */
export function fitSubports(wishes: readonly SubportWish[], parent: Port, ground: TrunkGround): Subport[] {
  const fitted = wishes.map((wish) => fitSubport(wish, parent, ground));
  const vlans = new Set(fitted.map(({ vlan }) => vlan));
  if (vlans.size < fitted.length) throw invalidInput('Two subports inherit the same segmentation_id.');
  return fitted;
}

function fitSubport({ portId, type, vlan }: SubportWish, parent: Port, { ports, networks }: TrunkGround): Subport {
  if (portId === parent.id) throw parentPortInUse(portId);
  const port = ports.get(portId);
  if (!port) throw portNotFound(portId);
  if (port.trunk) throw port.trunk.vlan === null ? parentPortInUse(portId) : trunkPortInUse(portId);
  if (port.deviceId !== '') throw portInUse(portId, port.networkId, port.deviceId);
  if (isOfTheCloud(port)) throw portInUse(portId, port.networkId, port.deviceOwner);
  const network = networks.get(port.networkId);
  const most = networks.get(parent.networkId)?.mtu ?? 0;
  if (network && network.mtu > most)
    throw conflict(
      'SubPortMtuGreaterThanTrunkPortMtu',
      `Subport ${portId} has an MTU of ${network.mtu}, more than the ${most} of its trunk's parent ${parent.id}.`,
    );
  if (type !== 'inherit') return { portId, vlan: vlan ?? 0 };
  if (network?.networkType !== 'vlan' || network.segmentationId === null)
    throw invalidInput(`Subport ${portId} can not inherit a VLAN: its network is none.`);
  return { portId, vlan: network.segmentationId };
}
