/**
 * Limits and marks as rows of a switch, one for each direction: OVN takes a single row per packet, so what two rules say
 * of one direction stands in one. A limit is a meter on the node through which the packets go. For a port that is its
 * own node, and a mark is set where the guest's packets enter the network; for a floating IP it is the node that
 * translates, for a router's gateway the one that it is on; the switch is that of the external network.
 */
import type { Direction } from '../model.js';
import type { QosRuleShape } from '../qos.js';
import type { NbPlan } from './plan.js';
import { RELATION, type Relation, rowId } from './row-id.js';
import { KIND, mapOf, type NbTables, NETWORK, OWNER } from './rows.js';

type QosRow = NbTables['QoS'];

/** Floating IPs are told from what else goes through a gateway's port. */
const PRIORITY = { port: 2000, router: 2000, floatingip: 2010 } as const;
/**
 * The least burst of a meter, in kbit: twice 64 KiB. Guests hand over segments of that size whole, and a meter that can
 * not hold one lets none through.
 */
const LEAST_BURST = 1_000;

const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];
const PORT_ROWS: Readonly<Record<Direction, Relation>> = {
  ingress: RELATION.qosIngress,
  egress: RELATION.qosEgress,
};
const FLOATING_ROWS: Readonly<Record<Direction, Relation>> = {
  ingress: RELATION.qosFloatingIn,
  egress: RELATION.qosFloatingOut,
};

const GATEWAY_ROWS: Readonly<Record<Direction, Relation>> = {
  ingress: RELATION.qosGatewayIn,
  egress: RELATION.qosGatewayOut,
};

export interface LimitedPort {
  readonly id: string;
  readonly networkId: string;
  /** Of the policy in force; empty where there is none. */
  readonly rules: readonly QosRuleShape[];
}

export interface LimitedFloatingIp {
  readonly id: string;
  /** The external network. */
  readonly networkId: string;
  readonly address: string;
  /** The gateway of its router on that network. */
  readonly gatewayPortId: string;
  /** The port in OVN that is only on the node that translates. */
  readonly residentPort: string;
  readonly rules: readonly QosRuleShape[];
}

/** A router, by its gateway: all that goes through it but floating IPs with limits of their own. */
export interface LimitedGateway {
  /** Of the router. */
  readonly id: string;
  /** The external network. */
  readonly networkId: string;
  readonly portId: string;
  readonly rules: readonly QosRuleShape[];
}

/** The row for one direction of a port, or null where the rules say nothing that OVN could do about it. */
export function portQosRow(port: LimitedPort, towards: Direction): QosRow | null {
  return rowFor('port', port, towards, matchOf(port.id, towards));
}

/** The same for the gateway of a router: `egress` is what goes out of the cloud. */
export function gatewayQosRow(gateway: LimitedGateway, towards: Direction): QosRow | null {
  return rowFor('router', gateway, towards, matchOf(gateway.portId, towards));
}

const matchOf = (portId: string, towards: Direction): string =>
  `${towards === 'egress' ? 'inport' : 'outport'} == "${portId}"`;

/** The same for a floating IP: `egress` is what its guest sends out. */
export function floatingQosRow(floating: LimitedFloatingIp, towards: Direction): QosRow | null {
  const { gatewayPortId, address, residentPort } = floating;
  const way =
    towards === 'egress'
      ? `inport == "${gatewayPortId}" && ip4.src == ${address}`
      : `outport == "${gatewayPortId}" && ip4.dst == ${address}`;
  return rowFor('floatingip', floating, towards, `${way} && is_chassis_resident("${residentPort}")`);
}

function rowFor(
  kind: keyof typeof PRIORITY,
  { id, networkId, rules }: LimitedPort,
  towards: Direction,
  match: string,
): QosRow | null {
  const bandwidth = new Map<string, number>();
  const action = new Map<string, number>();
  for (const rule of rules) {
    if (rule.type === 'dscp_marking' && towards === 'egress') action.set('dscp', rule.dscpMark);
    if (rule.type !== 'bandwidth_limit' || rule.direction !== towards || rule.maxKbps === 0) continue;
    bandwidth.set('rate', rule.maxKbps);
    // Unless told, a meter holds the traffic of one second.
    const burst = Math.max(rule.maxBurstKbps || rule.maxKbps, LEAST_BURST);
    if (burst !== rule.maxKbps) bandwidth.set('burst', burst);
  }
  if (bandwidth.size === 0 && action.size === 0) return null;
  return {
    direction: towards === 'egress' ? 'from-lport' : 'to-lport',
    priority: PRIORITY[kind],
    match,
    action,
    bandwidth,
    external_ids: mapOf({ [KIND]: `${kind}_qos`, [OWNER]: id, [NETWORK]: networkId }),
  };
}

/** Plans both directions of a port that is there. */
export function planPortQos(plan: NbPlan, port: LimitedPort): void {
  for (const towards of DIRECTIONS)
    bring(plan, rowId(PORT_ROWS[towards], port.id), port.networkId, portQosRow(port, towards));
}

/** Plans both directions of a floating IP that stands for a port. */
export function planFloatingQos(plan: NbPlan, floating: LimitedFloatingIp): void {
  for (const towards of DIRECTIONS)
    bring(plan, rowId(FLOATING_ROWS[towards], floating.id), floating.networkId, floatingQosRow(floating, towards));
}

/** Plans both directions of a router's gateway. */
export function planGatewayQos(plan: NbPlan, gateway: LimitedGateway): void {
  for (const towards of DIRECTIONS)
    bring(plan, rowId(GATEWAY_ROWS[towards], gateway.id), gateway.networkId, gatewayQosRow(gateway, towards));
}

/** The same for a router that is gone, has no gateway, or has it elsewhere. */
export function planGatewayQosGone(plan: NbPlan, routerId: string): void {
  for (const towards of DIRECTIONS) letGo(plan, rowId(GATEWAY_ROWS[towards], routerId));
}

/** Plans the end of what a port that is gone had. */
export function planPortQosGone(plan: NbPlan, portId: string): void {
  for (const towards of DIRECTIONS) letGo(plan, rowId(PORT_ROWS[towards], portId));
}

/** The same for a floating IP that is gone, stands for nothing, or is limited no more. */
export function planFloatingQosGone(plan: NbPlan, id: string): void {
  for (const towards of DIRECTIONS) letGo(plan, rowId(FLOATING_ROWS[towards], id));
}

function bring(plan: NbPlan, id: string, networkId: string, row: QosRow | null): void {
  const before = plan.actualRow('QoS', id)?.external_ids.get(NETWORK);
  if (!row || (before !== undefined && before !== networkId)) letGo(plan, id);
  if (row) plan.put('QoS', id, row).join('Logical_Switch', networkId, 'qos_rules', id);
}

/** The row vanishes when its switch lets go of it. */
function letGo(plan: NbPlan, id: string): void {
  const network = plan.actualRow('QoS', id)?.external_ids.get(NETWORK);
  if (network !== undefined) plan.leave('Logical_Switch', network, 'qos_rules', id);
}
