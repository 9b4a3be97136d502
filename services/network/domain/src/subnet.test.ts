import { describe, expect, it } from 'vitest';
import { isAuto, type SubnetWish, shapeSubnet } from './subnet.js';

const v4 = (more: Partial<SubnetWish> = {}) => shapeSubnet({ version: 4, cidr: '10.0.0.0/24', ...more });
const v6 = (more: Partial<SubnetWish> = {}) => shapeSubnet({ version: 6, cidr: '2001:db8::/64', ...more });
const refusal = (type: string, kind = 'invalid') => expect.objectContaining({ type, kind });

describe('a subnet', () => {
  it('fills in what the client left out', () => {
    expect(v4()).toEqual({
      version: 4,
      cidr: '10.0.0.0/24',
      gateway: '10.0.0.1',
      dhcp: true,
      pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
      dns: [],
      routes: [],
      addressMode: null,
      raMode: null,
      serviceTypes: [],
      dnsPublishFixedIp: false,
      poolId: null,
      segmentId: null,
    });
    expect(v4({ gateway: null })).toMatchObject({ gateway: null, pools: [{ start: '10.0.0.1', end: '10.0.0.254' }] });
    expect(v4({ cidr: '10.0.0.77/24' }).cidr).toBe('10.0.0.0/24');
  });

  it('may be tiny where nothing is served, and have its gateway elsewhere', () => {
    expect(v4({ cidr: '10.0.0.4/31', dhcp: false, gateway: null }).pools).toEqual([
      { start: '10.0.0.4', end: '10.0.0.5' },
    ]);
    expect(v4({ cidr: '10.0.0.4/32', dhcp: false, gateway: null }).pools).toEqual([
      { start: '10.0.0.4', end: '10.0.0.4' },
    ]);
    expect(v4({ gateway: '10.1.0.1' })).toMatchObject({
      gateway: '10.1.0.1',
      pools: [{ start: '10.0.0.1', end: '10.0.0.254' }],
    });
    expect(v6({ cidr: '2001:db8::/32' }).pools).toEqual([
      { start: '2001:db8::2', end: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff' },
    ]);
  });

  it('accepts the IPv6 modes that agree', () => {
    expect(isAuto(v6({ addressMode: 'slaac', raMode: 'slaac' }))).toBe(true);
    expect(isAuto(v6({ addressMode: 'dhcpv6-stateless' }))).toBe(true);
    expect(isAuto(v6({ addressMode: 'dhcpv6-stateful', raMode: 'dhcpv6-stateful' }))).toBe(false);
    expect(isAuto(v6())).toBe(false);
  });

  it('refuses what can not be', () => {
    expect(() => v4({ cidr: 'nonsense' })).toThrow(refusal('HTTPBadRequest'));
    expect(() => v4({ cidr: '2001:db8::/64' })).toThrow(refusal('InvalidInput'));
    expect(() => v4({ cidr: '0.0.0.0/0' })).toThrow(refusal('InvalidInput'));
    expect(() => v4({ cidr: '224.0.0.0/24' })).toThrow(refusal('InvalidInput'));
    expect(() => v4({ gateway: '10.0.0.0' })).toThrow('Gateway is not valid on subnet');
    expect(() => v4({ gateway: '10.0.0.255' })).toThrow('Gateway is not valid on subnet');
    expect(() => v4({ gateway: '224.0.0.1' })).toThrow('Gateway is not valid on subnet');
    expect(() => v4({ cidr: '0.0.0.0/24' })).toThrow(/0\.0\.0\.0/);
    expect(() => v4({ cidr: '127.0.0.0/24' })).toThrow(/Loopback/);
    expect(() => v4({ cidr: '10.0.0.0/31' })).toThrow(/incompatible with DHCP/);
    expect(() => v6({ cidr: '2001:db8::/127' })).toThrow(/incompatible with DHCP/);
    expect(() => v6({ cidr: '::/64' })).toThrow(/not supported/);
    expect(() => v4({ dns: ['2001:db8::1'] })).toThrow(/does not match the ip_version/);
    expect(() => v4({ pools: [{ start: '10.0.0.0', end: '10.0.0.9' }] })).toThrow(refusal('OutOfBoundsAllocationPool'));
    expect(() => v4({ pools: [{ start: '10.0.0.9', end: '10.0.0.255' }] })).toThrow(
      refusal('OutOfBoundsAllocationPool'),
    );
    expect(() => v6({ pools: [{ start: '2001:db8::', end: '2001:db8::9' }] })).toThrow(
      refusal('OutOfBoundsAllocationPool'),
    );
    expect(() => v4({ serviceTypes: ['mine:x'] })).toThrow(refusal('InvalidSubnetServiceType'));
    expect(() => v4({ serviceTypes: ['compute:a\nb'] })).toThrow(refusal('InvalidSubnetServiceType'));
    expect(() => v4({ gateway: 'fe80::1' })).toThrow(refusal('InvalidInput'));
    expect(() => v4({ addressMode: 'slaac' })).toThrow(refusal('InvalidInput'));
    expect(() => v6({ addressMode: 'slaac', dhcp: false })).toThrow(refusal('InvalidInput'));
    expect(() => v6({ addressMode: 'slaac', raMode: 'dhcpv6-stateful' })).toThrow(refusal('InvalidInput'));
    expect(() => v6({ addressMode: 'slaac', cidr: '2001:db8::/80' })).toThrow(refusal('InvalidInput'));
    expect(() => v4({ dns: ['10.0.0.300'] })).toThrow(refusal('HTTPBadRequest'));
    expect(() => v4({ dns: ['1.1.1.1', '1.1.1.1'] })).toThrow(refusal('HTTPBadRequest'));
    expect(() => v4({ dns: Array.from({ length: 6 }, (_, i) => `1.1.1.${i}`) })).toThrow(
      refusal('DNSNameServersExhausted'),
    );
    expect(() => v4({ routes: [{ destination: '10.2.0.0/24', nexthop: 'fe80::1' }] })).toThrow(
      refusal('HTTPBadRequest'),
    );
  });
});
