/** Address groups on the wire. */
import { type Static, Type } from 'typebox';
import type { Credentials } from '#libs/platform/policy';
import { body } from '#libs/wire';
import { type AddressGroup, MOST_ADDRESSES, reaches } from '#services/network/domain';
import { attributes, just, maybe, nullable, oneOrMany, standard, text } from '../values.wire.js';

const writable = { name: maybe(text()), description: maybe(text()) };
const Addresses = Type.Array(text(64), { maxItems: MOST_ADDRESSES });

const NewAddressGroupBody = attributes({
  ...writable,
  addresses: nullable(Addresses),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewAddressGroupBody = Static<typeof NewAddressGroupBody>;
const AddressGroupChangeBody = attributes(writable);
export type AddressGroupChangeBody = Static<typeof AddressGroupChangeBody>;
const AddressesBody = attributes({ addresses: Addresses });
export type AddressesBody = Static<typeof AddressesBody>;

export const createAddressGroupBody = body(oneOrMany('address_group', 'address_groups', NewAddressGroupBody));
export const updateAddressGroupBody = body(just('address_group', AddressGroupChangeBody));
export const addressesBody = body(AddressesBody);

export const addressGroupView = (group: AddressGroup, who: Credentials): Record<string, unknown> => ({
  id: group.id,
  name: group.name,
  description: group.description,
  tenant_id: group.projectId,
  project_id: group.projectId,
  addresses: group.addresses,
  shared: reaches(group.sharedWith, who.projectId),
  ...standard(group),
});
