/** Lists of a policy's rules of one type. There are two at most. */
import type { Page } from '#services/network/data';
import { QOS_RULES, type QosRule, type QosRuleType } from '#services/network/domain';
import { type ListQuery, type Query, readList } from '../list.wire.js';
import { sift } from '../sift.js';
import { qosRuleView } from './qos-rule.wire.js';

export function readQosRuleList(query: Query, type: QosRuleType): ListQuery {
  const names = ['id', ...QOS_RULES[type].parameters.map((parameter) => parameter.name)];
  return readList(query, { filters: names, sorts: names });
}

export const siftQosRules = (rules: readonly QosRule[], request: ListQuery): Page<QosRule> =>
  sift(rules, qosRuleView, request);
