/** Lists of a policy's rules of one type. There are two at most, so they are sifted here and not by the database. */
import type { Page } from '#services/network/data';
import { QOS_RULES, type QosRule, type QosRuleType } from '#services/network/domain';
import { type ListQuery, type Query, readList } from '../list.wire.js';
import { qosRuleView } from './qos-rule.wire.js';

export function readQosRuleList(query: Query, type: QosRuleType): ListQuery {
  const names = ['id', ...QOS_RULES[type].parameters.map((parameter) => parameter.name)];
  return readList(query, { filters: names, sorts: names });
}

export function siftQosRules(rules: readonly QosRule[], request: ListQuery): Page<QosRule> {
  const sorted = rules.filter((rule) => matches(rule, request)).sort((a, b) => order(a, b, request));
  if (request.reverse) sorted.reverse();
  const from = sorted.findIndex((rule) => rule.id === request.marker) + 1;
  const rest = sorted.slice(from);
  const kept = rest.slice(0, request.limit ?? rest.length);
  return { rows: request.reverse ? kept.reverse() : kept, more: kept.length < rest.length };
}

function matches(rule: QosRule, { filters }: ListQuery): boolean {
  const shown = qosRuleView(rule);
  return [...filters].every(([name, values]) => values.includes(String(shown[name])));
}

function order(a: QosRule, b: QosRule, { sorts }: ListQuery): number {
  for (const { field, direction } of [...sorts, { field: 'id', direction: 'asc' as const }]) {
    const [left, right] = [qosRuleView(a)[field], qosRuleView(b)[field]];
    const sign = typeof left === 'number' ? left - Number(right) : String(left).localeCompare(String(right));
    if (sign !== 0) return direction === 'asc' ? sign : -sign;
  }
  return 0;
}
