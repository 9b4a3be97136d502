/** Segments on the wire. */
import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { NetworkSegment } from '#services/network/domain';
import { attributes, just, maybe, nullable, standard, text, Whole } from '../values.wire.js';

const writable = { name: nullable(text()), description: nullable(text()) };

const NewSegmentBody = attributes({
  ...writable,
  network_id: text(64),
  network_type: text(32),
  physical_network: nullable(text(64)),
  segmentation_id: nullable(Whole),
  tenant_id: maybe(Type.Union([text(), Type.Null()])),
  project_id: maybe(Type.Union([text(), Type.Null()])),
});
export type NewSegmentBody = Static<typeof NewSegmentBody>;
const SegmentChangeBody = attributes(writable);
export type SegmentChangeBody = Static<typeof SegmentChangeBody>;

export const createSegmentBody = body(just('segment', NewSegmentBody));
export const updateSegmentBody = body(just('segment', SegmentChangeBody));

export const segmentView = (segment: NetworkSegment): Record<string, unknown> => ({
  id: segment.id,
  network_id: segment.networkId,
  name: segment.name,
  description: segment.description,
  network_type: segment.networkType,
  physical_network: segment.physicalNetwork,
  segmentation_id: segment.segmentationId,
  ...standard(segment),
});
