/** Trunks on the wire. */
import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { Port, SubportWish, Trunk } from '#services/network/domain';
import { attributes, Flag, just, maybe, standard, text, toNumber, Whole } from '../values.wire.js';

const SubportBody = attributes({
  port_id: text(64),
  segmentation_type: maybe(text(32)),
  segmentation_id: maybe(Whole),
});
export type SubportBody = Static<typeof SubportBody>;
const Subports = Type.Array(SubportBody, { maxItems: 4094 });

const writable = { name: maybe(text()), description: maybe(text()), admin_state_up: maybe(Flag) };
const NewTrunkBody = attributes({
  ...writable,
  port_id: text(64),
  sub_ports: maybe(Subports),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewTrunkBody = Static<typeof NewTrunkBody>;
const TrunkChangeBody = attributes(writable);
export type TrunkChangeBody = Static<typeof TrunkChangeBody>;

export const createTrunkBody = body(just('trunk', NewTrunkBody));
export const updateTrunkBody = body(just('trunk', TrunkChangeBody));
export const subportsBody = body(just('sub_ports', Subports));

export const wishOf = (item: SubportBody): SubportWish => ({
  portId: item.port_id.toLowerCase(),
  type: item.segmentation_type,
  vlan: toNumber(item.segmentation_id) ?? undefined,
});

const subportView = ({ portId, vlan }: { readonly portId: string; readonly vlan: number }) => ({
  port_id: portId,
  segmentation_type: 'vlan',
  segmentation_id: vlan,
});

export const subportsView = (trunk: Trunk): Record<string, unknown> => ({
  sub_ports: trunk.subports.map(subportView),
});

export const trunkView = (trunk: Trunk): Record<string, unknown> => ({
  id: trunk.id,
  name: trunk.name,
  tenant_id: trunk.projectId,
  project_id: trunk.projectId,
  description: trunk.description,
  port_id: trunk.portId,
  admin_state_up: trunk.adminStateUp,
  status: trunk.status,
  ...subportsView(trunk),
  ...standard(trunk),
});

/** On the port that is a trunk's parent: what it carries. Undefined on others. */
export function trunkDetails({ trunk }: Pick<Port, 'trunk'>): Record<string, unknown> | undefined {
  if (trunk?.vlan !== null) return undefined;
  const subports = trunk.subports.map((subport) => ({ ...subportView(subport), mac_address: subport.mac }));
  return { trunk_id: trunk.id, sub_ports: subports };
}
