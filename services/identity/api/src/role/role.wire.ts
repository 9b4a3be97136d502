import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { LONGEST, type Role } from '#services/identity/domain';
import { type AnyCall, Immutable, MaybeId, MaybeText, nameOf, selfLink, wrapped } from '../resource.js';

const fields = {
  description: Type.Optional(MaybeText),
  domain_id: Type.Optional(MaybeId),
  options: Type.Optional(Immutable),
};

const RoleCreate = wrapped('role', Type.Object({ name: nameOf(LONGEST.role), ...fields }));
const RoleUpdate = wrapped('role', Type.Object({ name: Type.Optional(nameOf(LONGEST.role)), ...fields }));

export type RoleCreate = Static<typeof RoleCreate>;
export type RoleUpdate = Static<typeof RoleUpdate>;
export const roleCreate = body(RoleCreate);
export const roleUpdate = body(RoleUpdate);
export const ROLE_FIELDS = ['name', ...Object.keys(fields)];

export const viewRole = (role: Role, call: AnyCall) => ({
  ...role.extra,
  id: role.id,
  name: role.name,
  domain_id: role.domainId ?? null,
  description: role.description,
  options: role.options,
  links: selfLink(call, `roles/${role.id}`),
});

/** A role as it stands within an implication. */
export const viewImplied = (role: Role, call: AnyCall) => ({
  id: role.id,
  name: role.name,
  description: role.description,
  links: selfLink(call, `roles/${role.id}`),
});
