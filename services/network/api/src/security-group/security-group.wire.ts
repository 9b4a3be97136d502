/** Security groups on the wire. */
import type { Static } from 'typebox';
import type { Credentials } from '#libs/platform/policy';
import { body } from '#libs/wire';
import { reaches, type SecurityGroup } from '#services/network/domain';
import { ruleView } from '../security-group-rule/security-group-rule.wire.js';
import { attributes, Flag, just, maybe, oneOrMany, standard, text } from '../values.wire.js';

const writable = { name: maybe(text()), description: maybe(text()), stateful: maybe(Flag) };

const NewGroupBody = attributes({ ...writable, project_id: maybe(text()), tenant_id: maybe(text()) });
export type NewGroupBody = Static<typeof NewGroupBody>;
const GroupChangeBody = attributes(writable);
export type GroupChangeBody = Static<typeof GroupChangeBody>;

export const createGroupBody = body(oneOrMany('security_group', 'security_groups', NewGroupBody));
export const updateGroupBody = body(just('security_group', GroupChangeBody));

/** `shared` says whether the caller's own project, among others, may use the group. */
export const groupView = (group: SecurityGroup, who: Credentials): Record<string, unknown> => ({
  id: group.id,
  name: group.name,
  tenant_id: group.projectId,
  project_id: group.projectId,
  description: group.description,
  stateful: group.stateful,
  shared: reaches(group.sharedWith, who.projectId),
  security_group_rules: group.rules.map(ruleView),
  ...standard(group),
});
