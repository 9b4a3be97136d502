import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { Policy } from '#services/identity/domain';
import { type AnyCall, selfLink, wrapped } from '../resource.js';

const Kind = Type.String({ minLength: 1, maxLength: 255 });
const Blob = Type.String({ minLength: 1, maxLength: 65_535 });

const PolicyCreate = wrapped('policy', Type.Object({ type: Kind, blob: Blob }));
const PolicyUpdate = wrapped('policy', Type.Object({ type: Type.Optional(Kind), blob: Type.Optional(Blob) }));

export type PolicyCreate = Static<typeof PolicyCreate>;
export type PolicyUpdate = Static<typeof PolicyUpdate>;
export const policyCreate = body(PolicyCreate);
export const policyUpdate = body(PolicyUpdate);
export const POLICY_FIELDS = ['type', 'blob'];

export const viewPolicy = (policy: Policy, call: AnyCall) => ({
  ...policy.extra,
  id: policy.id,
  type: policy.type,
  blob: policy.blob,
  links: selfLink(call, `policies/${policy.id}`),
});
