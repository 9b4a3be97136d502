/**
 * Limits and marks of a port as rows of its switch, one for each direction: OVN takes a single row per packet, so what
 * two rules say of one direction stands in one. A limit is a meter on the port's own node, a mark is set where the
 * guest's packets enter the network.
 */
import type { Direction } from '../model.js';
import type { QosRuleShape } from '../qos.js';
import type { NbPlan } from './plan.js';
import { RELATION, type Relation, rowId } from './row-id.js';
import { KIND, mapOf, type NbTables, NETWORK } from './rows.js';

const PRIORITY = 2000;
/**
 * The least burst of a meter, in kbit: twice 64 KiB. Guests hand over segments of that size whole, and a meter that can
 * not hold one lets none through.
 */
const LEAST_BURST = 1_000;

interface Way {
  readonly relation: Relation;
  readonly direction: 'from-lport' | 'to-lport';
  readonly match: (portId: string) => string;
}
const WAYS: Readonly<Record<Direction, Way>> = {
  egress: { relation: RELATION.qosEgress, direction: 'from-lport', match: (id) => `inport == "${id}"` },
  ingress: { relation: RELATION.qosIngress, direction: 'to-lport', match: (id) => `outport == "${id}"` },
};

export interface LimitedPort {
  readonly id: string;
  readonly networkId: string;
  /** Of the policy in force; empty where there is none. */
  readonly rules: readonly QosRuleShape[];
}

/** The row for one direction, or null where the rules say nothing that OVN could do about it. */
export function qosRow(port: LimitedPort, towards: Direction): NbTables['QoS'] | null {
  const way = WAYS[towards];
  const bandwidth = new Map<string, number>();
  const action = new Map<string, number>();
  for (const rule of port.rules) {
    if (rule.type === 'dscp_marking' && towards === 'egress') action.set('dscp', rule.dscpMark);
    if (rule.type !== 'bandwidth_limit' || rule.direction !== towards || rule.maxKbps === 0) continue;
    bandwidth.set('rate', rule.maxKbps);
    // Unless told, a meter holds the traffic of one second.
    const burst = Math.max(rule.maxBurstKbps || rule.maxKbps, LEAST_BURST);
    if (burst !== rule.maxKbps) bandwidth.set('burst', burst);
  }
  if (bandwidth.size === 0 && action.size === 0) return null;
  return {
    direction: way.direction,
    priority: PRIORITY,
    match: way.match(port.id),
    action,
    bandwidth,
    external_ids: mapOf({ [KIND]: 'port_qos', [NETWORK]: port.networkId }),
  };
}

/** Plans both directions of a port that is there. */
export function planPortQos(plan: NbPlan, port: LimitedPort): void {
  for (const towards of ['ingress', 'egress'] as const) {
    const id = rowId(WAYS[towards].relation, port.id);
    const row = qosRow(port, towards);
    if (row) plan.put('QoS', id, row).join('Logical_Switch', port.networkId, 'qos_rules', id);
    else letGo(plan, id);
  }
}

/** Plans the end of what a port that is gone had. */
export function planPortQosGone(plan: NbPlan, portId: string): void {
  for (const way of Object.values(WAYS)) letGo(plan, rowId(way.relation, portId));
}

/** The row vanishes when its switch lets go of it. */
function letGo(plan: NbPlan, id: string): void {
  const network = plan.actualRow('QoS', id)?.external_ids.get(NETWORK);
  if (network !== undefined) plan.leave('Logical_Switch', network, 'qos_rules', id);
}
