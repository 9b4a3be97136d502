import { describe, expect, it } from 'vitest';
import type { QosRuleShape } from '../qos.js';
import { NbMemory } from './nb-memory.fixture.js';
import { NbPlan } from './plan.js';
import {
  floatingQosRow,
  gatewayQosRow,
  type LimitedFloatingIp,
  type LimitedGateway,
  planFloatingQos,
  planFloatingQosGone,
  planGatewayQos,
  planGatewayQosGone,
  planPortQos,
  planPortQosGone,
  portQosRow,
} from './qos.js';
import { RELATION, rowId } from './row-id.js';

const NET = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
const PORT = '33333333-3333-4333-8333-333333333333';
const FLOATING = '44444444-4444-4444-8444-444444444444';
const OUT = rowId(RELATION.qosEgress, PORT);
const IN = rowId(RELATION.qosIngress, PORT);

const limit = (direction: 'ingress' | 'egress', maxKbps: number, maxBurstKbps = 0): QosRuleShape => ({
  type: 'bandwidth_limit',
  direction,
  maxKbps,
  maxBurstKbps,
});
const port = (...rules: QosRuleShape[]) => ({ id: PORT, networkId: NET, rules });
const numbers = (map: ReadonlyMap<string, number> | undefined) => Object.fromEntries(map ?? []);

const memory = () => {
  const nb = new NbMemory();
  const values = { name: 'n', other_config: new Map(), external_ids: new Map() };
  for (const uuid of [NET, OTHER]) nb.apply([{ kind: 'insert', table: 'Logical_Switch', uuid, values }]);
  const plan = (body: (plan: NbPlan) => void) => {
    const made = new NbPlan(nb);
    body(made);
    const operations = made.operations();
    nb.apply(operations);
    return operations.length;
  };
  return { nb, plan, held: () => nb.members('Logical_Switch', NET, 'qos_rules') };
};

describe('the row of one direction', () => {
  it('holds limit and mark of what a guest sends', () => {
    const row = portQosRow(port(limit('egress', 3000, 2400), { type: 'dscp_marking', dscpMark: 26 }), 'egress');
    expect(row).toMatchObject({ direction: 'from-lport', match: `inport == "${PORT}"` });
    expect([numbers(row?.bandwidth), numbers(row?.action)]).toEqual([{ rate: 3000, burst: 2400 }, { dscp: 26 }]);
  });

  it('limits what a guest receives, and never marks it', () => {
    const row = portQosRow(port(limit('ingress', 3000), { type: 'dscp_marking', dscpMark: 26 }), 'ingress');
    expect(row).toMatchObject({ direction: 'to-lport', match: `outport == "${PORT}"` });
    expect([numbers(row?.bandwidth), numbers(row?.action)]).toEqual([{ rate: 3000 }, {}]);
  });

  it('always holds the largest segment that a guest hands over', () => {
    const burst = (rate: number, wanted: number) =>
      portQosRow(port(limit('egress', rate, wanted)), 'egress')?.bandwidth.get('burst');
    expect([burst(3000, 0), burst(3000, 300), burst(200, 0), burst(200, 5000)]).toEqual([undefined, 1000, 1000, 5000]);
  });

  it('is not there where nothing is to be done', () => {
    expect(portQosRow(port(limit('egress', 5)), 'ingress')).toBeNull();
    expect(portQosRow(port(limit('egress', 0, 7)), 'egress')).toBeNull();
    expect(portQosRow(port({ type: 'minimum_bandwidth', direction: 'egress', minKbps: 5 }), 'egress')).toBeNull();
  });
});

describe('a floating IP', () => {
  const floating = (...rules: QosRuleShape[]): LimitedFloatingIp => ({
    id: FLOATING,
    networkId: NET,
    address: '203.0.113.7',
    gatewayPortId: PORT,
    residentPort: `cr-lrp-${PORT}`,
    rules,
  });

  it('is limited where it is translated, before all else that its gateway carries', () => {
    const rules = [limit('egress', 5000), limit('ingress', 6000)];
    const out = floatingQosRow(floating(...rules), 'egress')!;
    const back = floatingQosRow(floating(...rules), 'ingress')!;
    const resident = `is_chassis_resident("cr-lrp-${PORT}")`;
    expect(out).toMatchObject({
      direction: 'from-lport',
      match: `inport == "${PORT}" && ip4.src == 203.0.113.7 && ${resident}`,
    });
    expect(back).toMatchObject({
      direction: 'to-lport',
      match: `outport == "${PORT}" && ip4.dst == 203.0.113.7 && ${resident}`,
    });
    expect([numbers(out.bandwidth), numbers(back.bandwidth)]).toEqual([{ rate: 5000 }, { rate: 6000 }]);
    expect(out.priority).toBeGreaterThan(portQosRow(port(limit('egress', 5000)), 'egress')!.priority);
  });

  it('comes and goes without the port', () => {
    const { plan, held } = memory();
    plan((made) => planPortQos(made, port(limit('egress', 5000))));
    plan((made) => planFloatingQos(made, floating(limit('egress', 5000))));
    expect(held()).toEqual(new Set([OUT, rowId(RELATION.qosFloatingOut, FLOATING)]));
    plan((made) => planFloatingQosGone(made, FLOATING));
    expect(held()).toEqual(new Set([OUT]));
  });
});

describe('the gateway of a router', () => {
  const ROUTER = '00000000-0000-4000-8000-0000000000aa';
  const gateway = (...rules: QosRuleShape[]): LimitedGateway => ({ id: ROUTER, networkId: NET, portId: PORT, rules });

  it('is limited both ways, behind floating IPs with limits of their own', () => {
    const rules = [limit('egress', 5000), limit('ingress', 6000)];
    const [out, back] = (['egress', 'ingress'] as const).map((way) => gatewayQosRow(gateway(...rules), way)!);
    expect(out).toMatchObject({ direction: 'from-lport', match: `inport == "${PORT}"`, priority: 2000 });
    expect(back).toMatchObject({ direction: 'to-lport', match: `outport == "${PORT}"`, priority: 2000 });
    expect([numbers(out!.bandwidth), numbers(back!.bandwidth)]).toEqual([{ rate: 5000 }, { rate: 6000 }]);
  });

  it('takes its limit along to another network', () => {
    const { nb, plan } = memory();
    plan((made) => planGatewayQos(made, gateway(limit('egress', 5000))));
    const row = rowId(RELATION.qosGatewayOut, ROUTER);
    plan((made) => planGatewayQos(made, { ...gateway(limit('egress', 5000)), networkId: OTHER }));
    expect([...nb.members('Logical_Switch', NET, 'qos_rules')]).toEqual([]);
    expect([...nb.members('Logical_Switch', OTHER, 'qos_rules')]).toEqual([row]);
    plan((made) => planGatewayQosGone(made, ROUTER));
    expect([...nb.members('Logical_Switch', OTHER, 'qos_rules')]).toEqual([]);
  });
});

describe('a plan', () => {
  it('brings both directions onto the switch, and nothing when repeated', () => {
    const { plan, held } = memory();
    const both = port(limit('egress', 5000), limit('ingress', 6000));
    expect(plan((made) => planPortQos(made, both))).toBeGreaterThan(0);
    expect(held()).toEqual(new Set([OUT, IN]));
    expect(plan((made) => planPortQos(made, both))).toBe(0);
  });

  it('changes a limit in place, and lets go of what ends', () => {
    const { nb, plan, held } = memory();
    plan((made) => planPortQos(made, port(limit('egress', 5000), limit('ingress', 6000))));
    plan((made) => planPortQos(made, port(limit('egress', 9000))));
    expect(held()).toEqual(new Set([OUT]));
    expect(numbers(nb.row('QoS', OUT)?.bandwidth)).toEqual({ rate: 9000 });
    plan((made) => planPortQosGone(made, PORT));
    expect(held()).toEqual(new Set());
    expect(plan((made) => planPortQosGone(made, OUT))).toBe(0);
  });
});
