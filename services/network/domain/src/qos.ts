/** Quality of service: what policies say of the traffic of ports, and which rules go together. */
import { type Failure, fail } from '#libs/kernel';
import { badAttribute } from './faults.js';
import type { Direction, Port, Standard, Targets } from './model.js';

export type QosRuleType = 'bandwidth_limit' | 'dscp_marking' | 'minimum_bandwidth';

export interface BandwidthLimit {
  readonly type: 'bandwidth_limit';
  /** As the guest sees it: `egress` is what it sends. */
  readonly direction: Direction;
  /** 0 for no limit. */
  readonly maxKbps: number;
  /** 0: left to the node. */
  readonly maxBurstKbps: number;
}

export interface DscpMarking {
  readonly type: 'dscp_marking';
  readonly dscpMark: number;
}

/** What a port was promised. It is kept for planners; nothing on the nodes reserves it. */
export interface MinimumBandwidth {
  readonly type: 'minimum_bandwidth';
  readonly direction: Direction;
  readonly minKbps: number;
}

export type QosRuleShape = BandwidthLimit | DscpMarking | MinimumBandwidth;
export type QosRule = QosRuleShape & { readonly id: string };

export interface QosPolicy extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  /** Who may use the policy besides its owner. */
  readonly sharedWith: Targets;
  /** New networks of its project get it unless they name another. */
  readonly isDefault: boolean;
  readonly rules: readonly QosRule[];
}

/** The marks that have a meaning between networks: default, class selectors, assured and expedited forwarding. */
export const DSCP_MARKS: readonly number[] = [
  0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56,
];
export const MOST_KBPS = 2 ** 31 - 1;
export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

/** What a rule can be told, by the attribute's name on the wire. */
export type QosParameter =
  | { readonly name: string; readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly name: string; readonly kind: 'choices'; readonly values: readonly (string | number)[] };

const range = (name: string): QosParameter => ({ name, kind: 'range', from: 0, to: MOST_KBPS });
const DIRECTION: QosParameter = { name: 'direction', kind: 'choices', values: DIRECTIONS };

export interface QosRuleKind {
  readonly parameters: readonly QosParameter[];
  /** True where the nodes see to it. */
  readonly enforced: boolean;
}

export const QOS_RULES: Readonly<Record<QosRuleType, QosRuleKind>> = {
  bandwidth_limit: { parameters: [range('max_kbps'), range('max_burst_kbps'), DIRECTION], enforced: true },
  dscp_marking: { parameters: [{ name: 'dscp_mark', kind: 'choices', values: DSCP_MARKS }], enforced: true },
  minimum_bandwidth: { parameters: [range('min_kbps'), DIRECTION], enforced: false },
};
export const QOS_RULE_TYPES = Object.keys(QOS_RULES) as readonly QosRuleType[];

export const qosPolicyNotFound = (id: string): Failure =>
  fail.notFound(`QoS policy ${id} could not be found.`, { type: 'QosPolicyNotFound' });
export const qosRuleNotFound = (rule: string, policy?: string): Failure =>
  fail.notFound(`QoS rule ${rule}${policy ? ` of policy ${policy}` : ''} could not be found.`, {
    type: 'QosRuleNotFound',
  });
export const qosPolicyInUse = (id: string, object: string, objectId: string): Failure =>
  fail.conflict(`QoS policy ${id} is used by ${object} ${objectId}.`, { type: 'QosPolicyInUse' });
export const secondDefaultQos = (projectId: string): Failure =>
  fail.conflict(`Project ${projectId} has a default QoS policy already.`, { type: 'QoSPolicyDefaultAlreadyExists' });

/** Throws `invalid` for a rule whose numbers are out of range. */
export function checkedQosRule<R extends QosRuleShape>(rule: R): R {
  if (rule.type === 'dscp_marking' && !DSCP_MARKS.includes(rule.dscpMark))
    throw badAttribute('dscp_mark', `'${rule.dscpMark}' is not in [${DSCP_MARKS.join(', ')}].`);
  if (rule.type === 'bandwidth_limit') {
    inRange('max_kbps', rule.maxKbps);
    inRange('max_burst_kbps', rule.maxBurstKbps);
  }
  if (rule.type === 'minimum_bandwidth') inRange('min_kbps', rule.minKbps);
  return rule;
}

function inRange(attribute: string, kbps: number): void {
  if (!Number.isInteger(kbps) || kbps < 0 || kbps > MOST_KBPS)
    throw badAttribute(attribute, `'${kbps}' is not in the range 0 to ${MOST_KBPS}.`);
}

/** Throws `conflict` where the rule can not stand beside the others of its policy; itself is not among them. */
export function fitQosRule(policyId: string, others: readonly QosRule[], rule: QosRuleShape): void {
  for (const other of others) refuseCrossing(policyId, rule, other);
  const same = others.find((other) => other.type === rule.type && directionOf(other) === directionOf(rule));
  if (same)
    throw fail.conflict(`QoS policy ${policyId} has a rule of type ${rule.type} already: ${same.id}.`, {
      type: 'QoSRulesConflict',
    });
}

/** A limit below what is promised in the same direction makes no sense. */
function refuseCrossing(policyId: string, rule: QosRuleShape, other: QosRule): void {
  const pair = [rule, other];
  const limit = pair.find((one) => one.type === 'bandwidth_limit');
  const floor = pair.find((one) => one.type === 'minimum_bandwidth');
  if (!limit || !floor || limit.direction !== floor.direction || limit.maxKbps >= floor.minKbps) return;
  const value = rule === limit ? limit.maxKbps : floor.minKbps;
  const standing = rule === limit ? floor.minKbps : limit.maxKbps;
  throw fail.conflict(
    `A ${rule.type} rule of ${value} contradicts the ${other.type} rule of QoS policy ${policyId}, which says ${standing}.`,
    { type: 'QoSRuleParameterConflict' },
  );
}

export const directionOf = (rule: QosRuleShape): Direction | null =>
  rule.type === 'dscp_marking' ? null : rule.direction;

/** The cloud's own ports carry the traffic of many guests, which are limited where they send and receive. */
const OF_THE_CLOUD = /^(network|neutron):/;
export const isOfTheCloud = (port: Pick<Port, 'deviceOwner'>): boolean => OF_THE_CLOUD.test(port.deviceOwner);

/** The policy in force on a port: its own before its network's. */
export function effectiveQos(
  port: Pick<Port, 'deviceOwner' | 'qosPolicyId'>,
  networkPolicyId: string | null,
): string | null {
  return isOfTheCloud(port) ? null : (port.qosPolicyId ?? networkPolicyId);
}
