import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { ApplicationCredential, RoleGraph } from '#services/identity/domain';
import { type AnyCall, Id, MaybeText, nameOf, selfLink, wrapped } from '../resource.js';

const RoleRef = Type.Object({ id: Type.Optional(Id), name: Type.Optional(Type.String({ maxLength: 255 })) });

const CredentialCreate = wrapped(
  'application_credential',
  Type.Object({
    name: nameOf(255),
    description: Type.Optional(MaybeText),
    secret: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 4_096 }), Type.Null()])),
    expires_at: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
    roles: Type.Optional(Type.Array(RoleRef, { maxItems: 64 })),
    unrestricted: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    access_rules: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 64 })),
  }),
);

export type ApplicationCredentialCreate = Static<typeof CredentialCreate>;
export const applicationCredentialCreate = body(CredentialCreate);

export const viewApplicationCredential = (credential: ApplicationCredential, graph: RoleGraph, call: AnyCall) => ({
  id: credential.id,
  name: credential.name,
  description: credential.description,
  project_id: credential.projectId,
  user_id: credential.userId,
  unrestricted: credential.unrestricted,
  expires_at: credential.expiresAt ?? null,
  system: null,
  roles: credential.roleIds.flatMap((id) => {
    const role = graph.role(id);
    return role ? [{ id, name: role.name, domain_id: role.domainId ?? null }] : [];
  }),
  links: selfLink(call, `users/${credential.userId}/application_credentials/${credential.id}`),
});
