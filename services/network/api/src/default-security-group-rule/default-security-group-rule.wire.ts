/** Templates of new groups' rules on the wire. */
import type { Static } from 'typebox';
import { body } from '#libs/wire';
import type { DefaultSecurityGroupRule } from '#services/network/domain';
import { ruleAttributes } from '../security-group-rule/security-group-rule.wire.js';
import { attributes, Flag, just, maybe, standard } from '../values.wire.js';

const NewDefaultRuleBody = attributes({
  ...ruleAttributes,
  used_in_default_sg: maybe(Flag),
  used_in_non_default_sg: maybe(Flag),
});
export type NewDefaultRuleBody = Static<typeof NewDefaultRuleBody>;

export const createDefaultRuleBody = body(just('default_security_group_rule', NewDefaultRuleBody));

export const defaultRuleView = (rule: DefaultSecurityGroupRule): Record<string, unknown> => ({
  id: rule.id,
  description: rule.description,
  direction: rule.direction,
  ethertype: rule.ethertype,
  protocol: rule.protocol,
  port_range_min: rule.portMin,
  port_range_max: rule.portMax,
  remote_ip_prefix: rule.remotePrefix,
  remote_group_id: rule.remoteGroupId,
  remote_address_group_id: rule.remoteAddressGroupId,
  used_in_default_sg: rule.inDefault,
  used_in_non_default_sg: rule.inOthers,
  ...standard(rule),
});
