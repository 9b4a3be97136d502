import { describe, expect, it } from 'vitest';
import { PARENT, rulesFrom } from './default-security-group-rule.js';
import { checkedLimit, DEFAULT_LIMITS, fits, limitsOf } from './quota.js';
import { normalizedPrefix, type RuleWish, ruleKey, shapeRule } from './security-group-rule.js';

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
      refused('SecurityGroupMultipleRemoteEntites'),
    );
  });

  it('knows protocols by all their spellings', () => {
    for (const protocol of ['icmpv6', 'ipv6-icmp', 'icmp', 'ICMP'])
      expect(rule({ protocol, ethertype: 'IPv6' }).protocol).toBe('ipv6-icmp');
    expect(rule({ protocol: 1, ethertype: 'IPv6' }).protocol).toBe('58');
    expect(() => rule({ protocol: '58' })).toThrow(refused('SecurityGroupEthertypeConflictWithProtocol'));
    for (const protocol of ['vrrp', 'ah', 'esp', 'ospf', 'ip', 'hopopt', '0', 255, 'udplite'])
      expect(rule({ protocol }).protocol).toBe(String(protocol));
    expect(() => rule({ protocol: 'udplite', portMin: 5, portMax: 6 })).toThrow(
      refused('SecurityGroupInvalidProtocolForPort'),
    );
  });

  it('takes the whole range of ports for no range', () => {
    expect(rule({ protocol: 'tcp', portMin: 1, portMax: 65535 })).toMatchObject({ portMin: null, portMax: null });
  });

  it('is the same as another that lets the same through', () => {
    const same = (a: Partial<RuleWish>, b: Partial<RuleWish>) => ruleKey(rule(a)) === ruleKey(rule(b));
    expect(same({ protocol: 'tcp' }, { protocol: 6 })).toBe(true);
    expect(same({ remotePrefix: '10.0.0.7/8' }, { remotePrefix: '10.9.9.9/8' })).toBe(true);
    expect(same({ remotePrefix: '0.0.0.0/0' }, {})).toBe(true);
    expect(same({ remoteGroupId: 'g' }, { remoteAddressGroupId: 'g' })).toBe(false);
    expect(same({}, { ethertype: 'IPv6' })).toBe(false);
    expect(same({ protocol: 'icmp', portMin: 8 }, { protocol: 'icmp', portMin: 8, portMax: 0 })).toBe(false);
  });

  it('is given to new groups as the templates say', () => {
    const template = { ...rule({ direction: 'egress' }), inDefault: true, inOthers: true };
    const members = { ...rule({ remoteGroupId: PARENT }), inDefault: true, inOthers: false };
    expect(rulesFrom([template, members], { id: 'g', isDefault: false })).toEqual([rule({ direction: 'egress' })]);
    expect(rulesFrom([template, members], { id: 'g', isDefault: true })).toEqual([
      rule({ direction: 'egress' }),
      rule({ remoteGroupId: 'g' }),
    ]);
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
