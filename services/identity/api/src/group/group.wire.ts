import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { type Group, LONGEST } from '#services/identity/domain';
import { type AnyCall, MaybeId, MaybeText, nameOf, selfLink, wrapped } from '../resource.js';

const fields = { description: Type.Optional(MaybeText), domain_id: Type.Optional(MaybeId) };

const GroupCreate = wrapped('group', Type.Object({ name: nameOf(LONGEST.group), ...fields }));
const GroupUpdate = wrapped('group', Type.Object({ name: Type.Optional(nameOf(LONGEST.group)), ...fields }));

export type GroupCreate = Static<typeof GroupCreate>;
export type GroupUpdate = Static<typeof GroupUpdate>;
export const groupCreate = body(GroupCreate);
export const groupUpdate = body(GroupUpdate);
export const GROUP_FIELDS = ['name', ...Object.keys(fields)];

export const viewGroup = (group: Group, call: AnyCall) => ({
  ...group.extra,
  id: group.id,
  name: group.name,
  domain_id: group.domainId,
  description: group.description,
  links: selfLink(call, `groups/${group.id}`),
});
