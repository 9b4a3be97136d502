import { describe, expect, it } from 'vitest';
import { checkedQosRule, effectiveQos, fitQosRule, type QosRule } from './qos.js';

const limit = (direction: 'ingress' | 'egress', maxKbps: number, id = 'l'): QosRule => ({
  id,
  type: 'bandwidth_limit',
  direction,
  maxKbps,
  maxBurstKbps: 0,
});
const floor = (direction: 'ingress' | 'egress', minKbps: number): QosRule => ({
  id: 'f',
  type: 'minimum_bandwidth',
  direction,
  minKbps,
});
const mark = (dscpMark: number): QosRule => ({ id: 'm', type: 'dscp_marking', dscpMark });

describe('a rule of QoS', () => {
  it('takes marks that have a meaning, and numbers that can be stored', () => {
    expect(checkedQosRule(mark(26))).toEqual(mark(26));
    for (const bad of [2, 42, 58, 64, -1])
      expect(() => checkedQosRule(mark(bad))).toThrow(expect.objectContaining({ type: 'HTTPBadRequest' }));
    expect(checkedQosRule(limit('egress', 2147483647))).toMatchObject({ maxKbps: 2147483647 });
    for (const bad of [2147483648, -1, Number.NaN])
      expect(() => checkedQosRule(limit('egress', bad))).toThrow(expect.objectContaining({ type: 'HTTPBadRequest' }));
    expect(() => checkedQosRule({ ...limit('egress', 1), maxBurstKbps: 2147483648 } as QosRule)).toThrow('max_burst');
    expect(() => checkedQosRule(floor('egress', 2147483648))).toThrow('min_kbps');
  });

  it('is one of its type in its direction', () => {
    fitQosRule('p', [limit('egress', 5)], limit('ingress', 5));
    fitQosRule('p', [limit('egress', 5), floor('ingress', 5)], mark(26));
    const conflict = expect.objectContaining({ kind: 'conflict', type: 'QoSRulesConflict' });
    expect(() => fitQosRule('p', [limit('egress', 5)], limit('egress', 6))).toThrow(conflict);
    expect(() => fitQosRule('p', [mark(26)], mark(28))).toThrow(conflict);
  });

  it('promises no more than the limit of its direction', () => {
    fitQosRule('p', [limit('egress', 5)], floor('egress', 5));
    fitQosRule('p', [limit('egress', 5)], floor('ingress', 6));
    const conflict = expect.objectContaining({ kind: 'conflict', type: 'QoSRuleParameterConflict' });
    expect(() => fitQosRule('p', [limit('egress', 5)], floor('egress', 6))).toThrow(conflict);
    expect(() => fitQosRule('p', [floor('egress', 6)], limit('egress', 5))).toThrow(conflict);
  });
});

describe('the policy in force', () => {
  it("is the port's own before its network's, and none on the cloud's own ports", () => {
    const port = { deviceOwner: 'compute:nova', qosPolicyId: null };
    expect(effectiveQos(port, null)).toBeNull();
    expect(effectiveQos(port, 'n')).toBe('n');
    expect(effectiveQos({ ...port, qosPolicyId: 'p' }, 'n')).toBe('p');
    for (const deviceOwner of ['network:dhcp', 'network:router_interface', 'neutron:x'])
      expect(effectiveQos({ deviceOwner, qosPolicyId: 'p' }, 'n')).toBeNull();
  });
});
