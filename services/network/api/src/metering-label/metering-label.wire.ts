/** Metering labels on the wire. */
import { type Static } from 'typebox';
import { body } from '#libs/wire';
import type { MeteringLabel } from '#services/network/domain';
import { attributes, Flag, just, maybe, text } from '../values.wire.js';

const NewMeteringLabelBody = attributes({
  name: maybe(text()),
  description: maybe(text(1024)),
  shared: maybe(Flag),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewMeteringLabelBody = Static<typeof NewMeteringLabelBody>;

export const createMeteringLabelBody = body(just('metering_label', NewMeteringLabelBody));

export const meteringLabelView = (label: MeteringLabel): Record<string, unknown> => ({
  id: label.id,
  name: label.name,
  description: label.description,
  shared: label.shared,
  tenant_id: label.projectId,
  project_id: label.projectId,
});
