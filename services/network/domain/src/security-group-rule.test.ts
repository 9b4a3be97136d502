import { describe, expect, it } from 'vitest';
import { checkedLimit, DEFAULT_LIMITS, fits, limitsOf } from './quota.js';
import { initialRules, normalizedPrefix, type RuleWish, shapeRule } from './security-group-rule.js';

const rule = (wish: Partial<RuleWish>) => shapeRule({ direction: 'ingress', ...wish });
const refused = (type: string, text = '') =>
  expect.objectContaining({ kind: 'invalid', type, message: expect.stringContaining(text) });

describe('a rule', () => {
  it('takes protocols by name and number', () => {
    expect(rule({ protocol: 'TCP', portMin: 22, portMax: 22 })).toMatchObject({ protocol: 'tcp', ethertype: 'IPv4' });
    expect(rule({ protocol: 17 }).protocol).toBe('17');
    expect(rule({ protocol: '6', portMin: 1, portMax: 2 })).toMatchObject({ protocol: '6', portMin: 1 });
    expect(rule({ protocol: 'any' }).protocol).toBeNull();
    expect(rule({ protocol: 'icmp', ethertype: 'IPv6' }).protocol).toBe('ipv6-icmp');
    expect(rule({ protocol: 'icmpv6', ethertype: 'ipv6' })).toMatchObject({ protocol: 'ipv6-icmp', ethertype: 'IPv6' });
  });

  it('keeps the prefix as written and knows its normal form', () => {
    const given = rule({ remotePrefix: '10.0.0.5/24' });
    expect(given.remotePrefix).toBe('10.0.0.5/24');
    expect(normalizedPrefix(given)).toBe('10.0.0.0/24');
    expect(rule({ remotePrefix: '10.0.0.5' }).remotePrefix).toBe('10.0.0.5/32');
  });

  it('is refused with the words that clients look for', () => {
    expect(() => rule({ direction: 'sideways' })).toThrow(refused('HTTPBadRequest'));
    expect(() => rule({ ethertype: 'IPX' })).toThrow(refused('SecurityGroupRuleInvalidEtherType'));
    expect(() => rule({ protocol: 'nonsense' })).toThrow(refused('SecurityGroupRuleInvalidProtocol'));
    expect(() => rule({ protocol: 256 })).toThrow(refused('SecurityGroupRuleInvalidProtocol'));
    expect(() => rule({ protocol: 'ipv6-icmp' })).toThrow(refused('SecurityGroupEthertypeConflictWithProtocol'));
    expect(() => rule({ portMin: 1, portMax: 2 })).toThrow(refused('SecurityGroupProtocolRequiredWithPorts'));
    expect(() => rule({ protocol: 'gre', portMin: 1, portMax: 2 })).toThrow(
      refused('SecurityGroupInvalidProtocolForPort'),
    );
    const tcp = (portMin: number | null, portMax: number | null) => rule({ protocol: 'tcp', portMin, portMax });
    expect(() => tcp(-16, 80)).toThrow(refused('SecurityGroupInvalidPortValue', 'Invalid value for port'));
    expect(() => tcp(80, 79)).toThrow(refused('SecurityGroupInvalidPortRange', 'port_range_min must be'));
    expect(() => tcp(80, 65536)).toThrow(refused('SecurityGroupInvalidPortValue', 'Invalid value for port'));
    expect(() => tcp(null, 6)).toThrow(refused('SecurityGroupInvalidPortRange', 'port_range_min must be'));
    const icmp = (portMin: number | null, portMax: number | null) => rule({ protocol: 'icmp', portMin, portMax });
    expect(() => icmp(1, 256)).toThrow(refused('SecurityGroupInvalidIcmpValue', 'Invalid value for ICMP code'));
    expect(() => icmp(null, 6)).toThrow(
      refused('SecurityGroupMissingIcmpType', 'ICMP type (port-range-min) is missing'),
    );
    expect(() => icmp(300, 1)).toThrow(refused('SecurityGroupInvalidIcmpValue', 'Invalid value for ICMP type'));
    expect(() => rule({ remotePrefix: '10.0.0.300/24' })).toThrow(refused('HTTPBadRequest'));
    expect(() => rule({ remotePrefix: '2001:db8::/64' })).toThrow(refused('SecurityGroupRuleParameterConflict'));
    expect(() => rule({ remotePrefix: '10.0.0.0/8', remoteGroupId: 'g' })).toThrow(
      refused('SecurityGroupRemoteGroupAndRemoteIpPrefix'),
    );
  });

  it('is given to new groups: all out, and in the default group in from its members', () => {
    expect(initialRules('g', false).map((r) => `${r.direction} ${r.ethertype}`)).toEqual([
      'egress IPv4',
      'egress IPv6',
    ]);
    expect(initialRules('g', true).filter((r) => r.remoteGroupId === 'g' && r.direction === 'ingress')).toHaveLength(2);
  });
});

describe('quota', () => {
  it('fits up to the limit, and always below -1', () => {
    expect(fits({ limit: 10, used: 9 }, 1)).toBe(true);
    expect(fits({ limit: 10, used: 9 }, 2)).toBe(false);
    expect(fits({ limit: -1, used: 1e6 }, 1000)).toBe(true);
    expect(fits({ limit: 0, used: 0 }, 1)).toBe(false);
  });

  it('prefers a limit of the project', () => {
    expect(limitsOf({ port: 3 }, DEFAULT_LIMITS)).toEqual({ ...DEFAULT_LIMITS, port: 3 });
  });

  it('reads numbers from -1 upwards', () => {
    expect(checkedLimit('port', '5')).toBe(5);
    expect(checkedLimit('port', -1)).toBe(-1);
    for (const bad of [-2, 1.5, 'x', null, true, 2 ** 31])
      expect(() => checkedLimit('port', bad)).toThrow('Invalid input for port');
  });
});
