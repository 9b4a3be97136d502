/** QoS policies on the wire. */
import type { Static } from 'typebox';
import type { Credentials } from '#libs/platform/policy';
import { body } from '#libs/wire';
import { type QosPolicy, reaches } from '#services/network/domain';
import { qosRuleView } from '../qos-rule/qos-rule.wire.js';
import { attributes, Flag, just, maybe, oneOrMany, standard, text } from '../values.wire.js';

const writable = { name: maybe(text()), description: maybe(text()), shared: maybe(Flag), is_default: maybe(Flag) };

const NewQosPolicyBody = attributes({ ...writable, project_id: maybe(text()), tenant_id: maybe(text()) });
export type NewQosPolicyBody = Static<typeof NewQosPolicyBody>;
const QosPolicyChangeBody = attributes(writable);
export type QosPolicyChangeBody = Static<typeof QosPolicyChangeBody>;

export const createQosPolicyBody = body(oneOrMany('policy', 'policies', NewQosPolicyBody));
export const updateQosPolicyBody = body(just('policy', QosPolicyChangeBody));

/** Within its policy a rule names both its policy and its type. */
export const qosPolicyView = (policy: QosPolicy, { who }: { readonly who: Credentials }): Record<string, unknown> => ({
  id: policy.id,
  name: policy.name,
  tenant_id: policy.projectId,
  project_id: policy.projectId,
  description: policy.description,
  shared: reaches(policy.sharedWith, who.projectId),
  is_default: policy.isDefault,
  rules: policy.rules.map((rule) => ({ ...qosRuleView(rule), qos_policy_id: policy.id, type: rule.type })),
  ...standard(policy),
});
