import { op } from '#libs/platform/http';
import type { MeteringLabel } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { MeteringLabelHandlers } from './metering-label.handlers.js';
import { createMeteringLabelBody } from './metering-label.wire.js';

const load = (handlers: MeteringLabelHandlers, call: AnyCall): Promise<MeteringLabel> => handlers.load(call);
/** Loaded only for administrators. */
const shared = (): boolean => true;

export const meteringLabelOps = [
  op(MeteringLabelHandlers, {
    method: 'POST',
    path: '/v2.0/metering/metering-labels',
    rule: R.createMeteringLabel,
    status: 201,
    body: createMeteringLabelBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(MeteringLabelHandlers, {
    method: 'GET',
    path: '/v2.0/metering/metering-labels',
    rule: R.listMeteringLabels,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(MeteringLabelHandlers, {
    method: 'GET',
    path: '/v2.0/metering/metering-labels/:id',
    rule: R.getMeteringLabel,
    status: 200,
    load,
    shared,
    run: (handlers, call, label) => handlers.show(call, label),
  }),
  op(MeteringLabelHandlers, {
    method: 'DELETE',
    path: '/v2.0/metering/metering-labels/:id',
    rule: R.deleteMeteringLabel,
    status: 204,
    load,
    shared,
    run: (handlers, _call, label) => handlers.remove(label),
  }),
];
