/** RBAC policies on the wire. */
import type { Static } from 'typebox';
import { body, type Field, view } from '#libs/wire';
import type { RbacPolicy } from '#services/network/domain';
import { attributes, just, maybe, oneOrMany, text } from '../values.wire.js';

/** Older clients call the target a tenant. */
const target = { target_tenant: maybe(text()), target_project: maybe(text()) };

const NewRbacPolicyBody = attributes({
  ...target,
  object_type: text(64),
  object_id: text(64),
  action: text(),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewRbacPolicyBody = Static<typeof NewRbacPolicyBody>;
const RbacPolicyChangeBody = attributes(target);
export type RbacPolicyChangeBody = Static<typeof RbacPolicyChangeBody>;

export const createRbacPolicyBody = body(oneOrMany('rbac_policy', 'rbac_policies', NewRbacPolicyBody));
export const updateRbacPolicyBody = body(just('rbac_policy', RbacPolicyChangeBody));

const FIELDS: readonly Field<RbacPolicy>[] = [
  { name: 'id', from: (r) => r.id },
  { name: 'tenant_id', from: (r) => r.projectId },
  { name: 'project_id', from: (r) => r.projectId },
  { name: 'object_type', from: (r) => r.objectType },
  { name: 'object_id', from: (r) => r.objectId },
  { name: 'action', from: (r) => r.action },
  { name: 'target_tenant', from: (r) => r.target },
];
export const rbacPolicyView = view(FIELDS);
