import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { SEGMENT_FIELDS } from '#services/network/data';
import {
  type NetworkSegment,
  networkNotFound,
  segmentInUse,
  segmentNotFound,
  severalSegments,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, isAdmin, revisionOf } from '../scope.js';
import { type NewSegmentBody, type SegmentChangeBody, segmentView } from './segment.wire.js';

@Injectable()
export class SegmentHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** Only for administrators is there any. */
  async load(call: AnyCall): Promise<NetworkSegment> {
    const id = idOf(call, segmentNotFound);
    const { segments, db } = this.parts.books;
    const segment = isAdmin(call.who) ? await segments.find(db, id) : undefined;
    if (!segment) throw segmentNotFound(id);
    return segment;
  }

  /** Each network has its segment from the beginning, and can have no other. */
  async create(call: AnyCall): Promise<Reply> {
    const { segment } = call.body as { segment: NewSegmentBody };
    const { networks, db } = this.parts.books;
    const id = segment.network_id;
    if (!isUuid(id) || !(await networks.find(db, id))) throw networkNotFound(id);
    throw severalSegments();
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, SEGMENT_FIELDS);
    const { segments, db } = this.parts.books;
    return { body: listBody('segments', await segments.list(db, request), request, call, segmentView) };
  }

  show(call: AnyCall, segment: NetworkSegment): Reply {
    const { fields } = readList(call.query, SEGMENT_FIELDS);
    return { body: { segment: pick(segmentView(segment), fields) } };
  }

  async update(call: AnyCall, segment: NetworkSegment): Promise<Reply> {
    const { segment: item } = call.body as { segment: SegmentChangeBody };
    const { segmentStore } = this.parts.books;
    const after = await segmentStore.update(segment.id, item, this.parts.now(), revisionOf(call));
    return { body: { segment: segmentView(after) } };
  }

  async remove({ id, networkId }: NetworkSegment): Promise<Reply> {
    const { segments, db } = this.parts.books;
    const subnets = await segments.subnetsOf(db, id);
    throw segmentInUse(
      id,
      subnets.length > 0
        ? `The segment is still associated with subnet(s) ${subnets.join(', ')}`
        : `It is all that carries network ${networkId}`,
    );
  }
}
