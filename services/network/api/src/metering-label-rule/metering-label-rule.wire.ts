/** Rules of metering labels on the wire. */
import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { Direction, MeteringLabelRule } from '#services/network/domain';
import { attributes, Flag, just, maybe, nullable, text } from '../values.wire.js';

const NewMeteringLabelRuleBody = attributes({
  metering_label_id: text(64),
  direction: Type.Unsafe<Direction>({ enum: ['ingress', 'egress'] }),
  excluded: maybe(Flag),
  remote_ip_prefix: nullable(text(64)),
  source_ip_prefix: nullable(text(64)),
  destination_ip_prefix: nullable(text(64)),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewMeteringLabelRuleBody = Static<typeof NewMeteringLabelRuleBody>;

export const createMeteringLabelRuleBody = body(just('metering_label_rule', NewMeteringLabelRuleBody));

export const meteringLabelRuleView = (rule: MeteringLabelRule): Record<string, unknown> => ({
  id: rule.id,
  metering_label_id: rule.labelId,
  direction: rule.direction,
  excluded: rule.excluded,
  remote_ip_prefix: rule.remotePrefix,
  source_ip_prefix: rule.sourcePrefix,
  destination_ip_prefix: rule.destinationPrefix,
});
