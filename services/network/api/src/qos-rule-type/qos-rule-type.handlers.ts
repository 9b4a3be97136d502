import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { QOS_RULES, type QosParameter, type QosRuleType } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import type { AnyCall } from '../scope.js';
import { isOn } from '../values.wire.js';

const FIELDS = { filters: ['type', 'all_supported', 'all_rules'], sorts: ['type'] };

const parameterView = (parameter: QosParameter): Record<string, unknown> => ({
  parameter_name: parameter.name,
  parameter_type: parameter.kind,
  parameter_values: parameter.kind === 'range' ? { start: parameter.from, end: parameter.to } : parameter.values,
});

@Injectable()
export class QosRuleTypeHandlers {
  /** Those that the nodes enforce; with `all_rules` also those that are kept as data. */
  list(call: AnyCall): Reply {
    const request = readList(call.query, FIELDS);
    const [wantsAll] = request.filters.get('all_rules') ?? [];
    const types = request.filters.get('type');
    const rows = Object.entries(QOS_RULES)
      .filter(([type, { enforced }]) => (enforced || isOn(wantsAll)) && (types?.includes(type) ?? true))
      .map(([type]) => ({ id: type }));
    const page = { rows, more: false };
    const whole = { ...request, limit: undefined };
    return { body: listBody('rule_types', page, whole, call, ({ id }) => ({ type: id })) };
  }

  show(call: AnyCall): Reply {
    const type = call.params['type'] ?? '';
    const kind = Object.hasOwn(QOS_RULES, type) ? QOS_RULES[type as QosRuleType] : undefined;
    if (!kind) throw fail.notFound(`There are no QoS rules of type ${type.slice(0, 100)}.`, { type: 'HTTPNotFound' });
    const { fields } = readList(call.query, FIELDS);
    const ovn = { name: 'ovn', supported_parameters: kind.parameters.map(parameterView) };
    return { body: { rule_type: pick({ type, drivers: kind.enforced ? [ovn] : [] }, fields) } };
  }
}
