/** Settings of new groups' statefulness on the wire. */
import type { Static } from 'typebox';
import { body } from '#libs/wire';
import type { DefaultStatefulness } from '#services/network/domain';
import { attributes, Flag, just, maybe, nullable, text } from '../values.wire.js';

const NewDefaultStatefulnessBody = attributes({
  project_id: nullable(text()),
  tenant_id: nullable(text()),
  stateful: maybe(Flag),
});
export type NewDefaultStatefulnessBody = Static<typeof NewDefaultStatefulnessBody>;
const DefaultStatefulnessChangeBody = attributes({ stateful: maybe(Flag) });
export type DefaultStatefulnessChangeBody = Static<typeof DefaultStatefulnessChangeBody>;

const NAME = 'security_groups_default_statefulness';
export const createDefaultStatefulnessBody = body(just(NAME, NewDefaultStatefulnessBody));
export const updateDefaultStatefulnessBody = body(just(NAME, DefaultStatefulnessChangeBody));

export const defaultStatefulnessView = (setting: DefaultStatefulness): Record<string, unknown> => ({
  id: setting.id,
  project_id: setting.projectId,
  tenant_id: setting.projectId,
  stateful: setting.stateful,
});
