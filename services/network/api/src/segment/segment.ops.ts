import { op } from '#libs/platform/http';
import type { NetworkSegment } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { SegmentHandlers } from './segment.handlers.js';
import { createSegmentBody, updateSegmentBody } from './segment.wire.js';

const load = (handlers: SegmentHandlers, call: AnyCall): Promise<NetworkSegment> => handlers.load(call);
/** Loaded only for administrators. */
const shared = (): boolean => true;

export const segmentOps = [
  op(SegmentHandlers, {
    method: 'POST',
    path: '/v2.0/segments',
    rule: R.createSegment,
    status: 201,
    body: createSegmentBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(SegmentHandlers, {
    method: 'GET',
    path: '/v2.0/segments',
    rule: R.getSegment,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(SegmentHandlers, {
    method: 'GET',
    path: '/v2.0/segments/:id',
    rule: R.getSegment,
    status: 200,
    load,
    shared,
    run: (handlers, call, segment) => handlers.show(call, segment),
  }),
  op(SegmentHandlers, {
    method: 'PUT',
    path: '/v2.0/segments/:id',
    rule: R.updateSegment,
    status: 200,
    body: updateSegmentBody,
    load,
    shared,
    run: (handlers, call, segment) => handlers.update(call, segment),
  }),
  op(SegmentHandlers, {
    method: 'DELETE',
    path: '/v2.0/segments/:id',
    rule: R.deleteSegment,
    status: 204,
    load,
    shared,
    run: (handlers, _call, segment) => handlers.remove(segment),
  }),
];
