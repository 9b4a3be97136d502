/** QoS rules on the wire. Each type has attributes of its own. */
import { Type } from 'typebox';
import { body } from '#libs/wire';
import type { Direction, QosRule, QosRuleShape, QosRuleType } from '#services/network/domain';
import { attributes, just, maybe } from '../values.wire.js';

/** A number, also as text; how large it may be is the domain's to say. */
const Amount = Type.Union([Type.Integer(), Type.String({ pattern: '^[0-9]{1,10}$' })]);
const Towards = Type.Unsafe<Direction>({ enum: ['ingress', 'egress'] });

const Limit = attributes({ max_kbps: Amount, max_burst_kbps: maybe(Amount), direction: maybe(Towards) });
const Mark = attributes({ dscp_mark: Amount });
const Floor = attributes({ min_kbps: Amount, direction: maybe(Towards) });

/** Whatever a rule of some type may be told: what is left out stays as it is. */
export interface QosRuleBody {
  readonly max_kbps?: string | number | undefined;
  readonly max_burst_kbps?: string | number | undefined;
  readonly min_kbps?: string | number | undefined;
  readonly dscp_mark?: string | number | undefined;
  readonly direction?: Direction | undefined;
}

/** The name of a rule of the type, by either of its two paths. */
export const qosRuleName = (type: QosRuleType, path: 'policy' | 'alias'): string =>
  path === 'alias' ? `alias_${type}_rule` : `${type}_rule`;

const SHAPES = {
  bandwidth_limit: [Limit, Type.Partial(Limit, { additionalProperties: false })],
  dscp_marking: [Mark, Type.Partial(Mark, { additionalProperties: false })],
  minimum_bandwidth: [Floor, Type.Partial(Floor, { additionalProperties: false })],
} as const;

export const createQosRuleBody = (type: QosRuleType) => body(just(qosRuleName(type, 'policy'), SHAPES[type][0]));
export const updateQosRuleBody = (type: QosRuleType, path: 'policy' | 'alias') =>
  body(just(qosRuleName(type, path), SHAPES[type][1]));

const number = (value: string | number | undefined, otherwise: number): number =>
  value === undefined ? otherwise : Number(value);

/** A rule that nobody has said anything of yet. */
const BLANK: Readonly<Record<QosRuleType, QosRuleShape>> = {
  bandwidth_limit: { type: 'bandwidth_limit', direction: 'egress', maxKbps: 0, maxBurstKbps: 0 },
  dscp_marking: { type: 'dscp_marking', dscpMark: 0 },
  minimum_bandwidth: { type: 'minimum_bandwidth', direction: 'egress', minKbps: 0 },
};
export const newQosRule = (type: QosRuleType, id: string, item: QosRuleBody): QosRule =>
  changedQosRule({ ...BLANK[type], id }, item);

export function changedQosRule(rule: QosRule, item: QosRuleBody): QosRule {
  if (rule.type === 'dscp_marking') return { ...rule, dscpMark: number(item.dscp_mark, rule.dscpMark) };
  const direction = item.direction ?? rule.direction;
  if (rule.type === 'minimum_bandwidth') return { ...rule, direction, minKbps: number(item.min_kbps, rule.minKbps) };
  return {
    ...rule,
    direction,
    maxKbps: number(item.max_kbps, rule.maxKbps),
    maxBurstKbps: number(item.max_burst_kbps, rule.maxBurstKbps),
  };
}

export function qosRuleView(rule: QosRule): Record<string, unknown> {
  const { id } = rule;
  if (rule.type === 'dscp_marking') return { id, dscp_mark: rule.dscpMark };
  const { direction } = rule;
  if (rule.type === 'minimum_bandwidth') return { id, min_kbps: rule.minKbps, direction };
  return { id, max_kbps: rule.maxKbps, max_burst_kbps: rule.maxBurstKbps, direction };
}
