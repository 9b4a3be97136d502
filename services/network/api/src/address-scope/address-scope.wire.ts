/** Address scopes on the wire. */
import { type Static, Type } from 'typebox';
import type { Credentials } from '#libs/platform/policy';
import { body } from '#libs/wire';
import { type AddressScope, reaches } from '#services/network/domain';
import { attributes, Flag, just, maybe, standard, text } from '../values.wire.js';

const NewAddressScopeBody = attributes({
  name: maybe(text()),
  shared: maybe(Flag),
  ip_version: Type.Enum([4, 6, '4', '6']),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewAddressScopeBody = Static<typeof NewAddressScopeBody>;
const AddressScopeChangeBody = attributes({ name: maybe(text()), shared: maybe(Flag) });
export type AddressScopeChangeBody = Static<typeof AddressScopeChangeBody>;

export const createAddressScopeBody = body(just('address_scope', NewAddressScopeBody));
export const updateAddressScopeBody = body(just('address_scope', AddressScopeChangeBody));

export const addressScopeView = (scope: AddressScope, who: Credentials): Record<string, unknown> => ({
  id: scope.id,
  name: scope.name,
  tenant_id: scope.projectId,
  project_id: scope.projectId,
  ip_version: scope.version,
  shared: reaches(scope.sharedWith, who.projectId),
  ...standard(scope),
});
