/** Rules on the wire. */
import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { normalizedPrefix, type SecurityGroupRule } from '#services/network/domain';
import { attributes, maybe, nullable, oneOrMany, standard, text, Whole } from '../values.wire.js';

const NewRuleBody = attributes({
  security_group_id: text(64),
  direction: text(32),
  ethertype: nullable(text(32)),
  protocol: nullable(Type.Union([text(64), Type.Integer()])),
  port_range_min: nullable(Whole),
  port_range_max: nullable(Whole),
  remote_ip_prefix: nullable(text(64)),
  remote_group_id: nullable(text(64)),
  remote_address_group_id: maybe(Type.Null()),
  description: nullable(text()),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewRuleBody = Static<typeof NewRuleBody>;

export const createRuleBody = body(oneOrMany('security_group_rule', 'security_group_rules', NewRuleBody));

export const ruleView = (rule: SecurityGroupRule): Record<string, unknown> => ({
  id: rule.id,
  security_group_id: rule.groupId,
  tenant_id: rule.projectId,
  project_id: rule.projectId,
  description: rule.description,
  direction: rule.direction,
  ethertype: rule.ethertype,
  protocol: rule.protocol,
  port_range_min: rule.portMin,
  port_range_max: rule.portMax,
  remote_ip_prefix: rule.remotePrefix,
  normalized_cidr: normalizedPrefix(rule),
  remote_group_id: rule.remoteGroupId,
  ...standard(rule),
});
