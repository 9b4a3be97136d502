/** Rules on the wire. */
import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { normalizedPrefix, type RuleWish, type SecurityGroupRule } from '#services/network/domain';
import { attributes, maybe, nullable, oneOrMany, standard, text, toNumber, Whole } from '../values.wire.js';

/** What says what a rule lets through, in rules and in templates of rules. */
export const ruleAttributes = {
  direction: text(32),
  ethertype: nullable(text(32)),
  protocol: nullable(Type.Union([text(64), Type.Integer()])),
  port_range_min: nullable(Whole),
  port_range_max: nullable(Whole),
  remote_ip_prefix: nullable(text(64)),
  remote_group_id: nullable(text(64)),
  remote_address_group_id: nullable(text(64)),
  description: nullable(text()),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
};
const RuleAttributes = attributes(ruleAttributes);

const NewRuleBody = attributes({ ...ruleAttributes, security_group_id: text(64) });
export type NewRuleBody = Static<typeof NewRuleBody>;

export const createRuleBody = body(oneOrMany('security_group_rule', 'security_group_rules', NewRuleBody));

export const wishOf = (item: Static<typeof RuleAttributes>): RuleWish => ({
  direction: item.direction,
  ethertype: item.ethertype,
  protocol: item.protocol,
  portMin: toNumber(item.port_range_min),
  portMax: toNumber(item.port_range_max),
  remotePrefix: item.remote_ip_prefix,
  remoteGroupId: item.remote_group_id,
  remoteAddressGroupId: item.remote_address_group_id,
});

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
  remote_address_group_id: rule.remoteAddressGroupId,
  belongs_to_default_sg: rule.ofDefaultGroup,
  ...standard(rule),
});
