/** The rules that new security groups begin with: copies of templates that the cloud's operator keeps. */
import type { DefaultSecurityGroupRule } from './model.js';
import type { RuleShape } from './security-group-rule.js';

/** Stands in a template for the group that gets the copy. */
export const PARENT = 'PARENT';

export type RuleTemplate = RuleShape & Pick<DefaultSecurityGroupRule, 'inDefault' | 'inOthers'>;

/** The rules that a new group gets. */
export function rulesFrom(
  templates: readonly RuleTemplate[],
  group: { readonly id: string; readonly isDefault: boolean },
): RuleShape[] {
  return templates
    .filter((template) => (group.isDefault ? template.inDefault : template.inOthers))
    .map((template) => ({
      direction: template.direction,
      ethertype: template.ethertype,
      protocol: template.protocol,
      portMin: template.portMin,
      portMax: template.portMax,
      remotePrefix: template.remotePrefix,
      remoteGroupId: template.remoteGroupId === PARENT ? group.id : template.remoteGroupId,
      remoteAddressGroupId: template.remoteAddressGroupId,
    }));
}
