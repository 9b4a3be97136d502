import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { Trust } from '#services/identity/domain';
import { type AnyCall, Id, MaybeId, selfLink, wrapped } from '../resource.js';

const RoleRef = Type.Object({ id: Type.Optional(Id), name: Type.Optional(Type.String({ maxLength: 255 })) });

const TrustCreate = wrapped(
  'trust',
  Type.Object({
    trustor_user_id: Id,
    trustee_user_id: Id,
    impersonation: Type.Boolean(),
    project_id: Type.Optional(MaybeId),
    roles: Type.Optional(Type.Array(RoleRef, { maxItems: 64 })),
    expires_at: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
    remaining_uses: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()])),
    allow_redelegation: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  }),
);

export type TrustCreate = Static<typeof TrustCreate>;
export const trustCreate = body(TrustCreate);

/** As it stands in a list: without its roles. */
export const viewTrust = (trust: Trust, call: AnyCall) => ({
  id: trust.id,
  trustor_user_id: trust.trustorUserId,
  trustee_user_id: trust.trusteeUserId,
  project_id: trust.projectId,
  impersonation: trust.impersonation,
  expires_at: trust.expiresAt === undefined ? null : `${trust.expiresAt}Z`,
  remaining_uses: trust.remainingUses ?? null,
  deleted_at: null,
  redelegation_count: 0,
  links: selfLink(call, `OS-TRUST/trusts/${trust.id}`),
});
