import { op } from '#libs/platform/http';
import type { MeteringLabelRule } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { MeteringLabelRuleHandlers } from './metering-label-rule.handlers.js';
import { createMeteringLabelRuleBody } from './metering-label-rule.wire.js';

const load = (handlers: MeteringLabelRuleHandlers, call: AnyCall): Promise<MeteringLabelRule> => handlers.load(call);
/** Loaded only for administrators. */
const shared = (): boolean => true;

export const meteringLabelRuleOps = [
  op(MeteringLabelRuleHandlers, {
    method: 'POST',
    path: '/v2.0/metering/metering-label-rules',
    rule: R.createMeteringLabelRule,
    status: 201,
    body: createMeteringLabelRuleBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(MeteringLabelRuleHandlers, {
    method: 'GET',
    path: '/v2.0/metering/metering-label-rules',
    rule: R.listMeteringLabelRules,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(MeteringLabelRuleHandlers, {
    method: 'GET',
    path: '/v2.0/metering/metering-label-rules/:id',
    rule: R.getMeteringLabelRule,
    status: 200,
    load,
    shared,
    run: (handlers, call, rule) => handlers.show(call, rule),
  }),
  op(MeteringLabelRuleHandlers, {
    method: 'DELETE',
    path: '/v2.0/metering/metering-label-rules/:id',
    rule: R.deleteMeteringLabelRule,
    status: 204,
    load,
    shared,
    run: (handlers, _call, rule) => handlers.remove(rule),
  }),
];
