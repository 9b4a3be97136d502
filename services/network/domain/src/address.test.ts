import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIp, contains, formatIp, formatPrefix, lastOf, overlap, parseIp, parsePrefix } from './address.js';
import { canonicalMac, eui64, macFrom, responderMac } from './mac.js';

describe('addresses', () => {
  it('survive being written and read', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        expect(parseIp(formatIp(6, value))).toEqual({ version: 6, value });
        const four = value & 0xffffffffn;
        expect(parseIp(formatIp(4, four))).toEqual({ version: 4, value: four });
      }),
    );
  });

  it('are written in the one canonical form', () => {
    const cases: Record<string, string> = {
      '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
      '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
      '0:0:0:0:0:0:0:0': '::',
      '::ffff:10.0.0.1': '::ffff:a00:1',
      '1:0:0:2:0:0:0:3': '1:0:0:2::3',
      '10.0.0.1': '10.0.0.1',
    };
    for (const [given, canonical] of Object.entries(cases)) expect(canonicalIp(given)).toBe(canonical);
  });

  it('are never guessed', () => {
    const bad = [
      '',
      '10.0.0',
      '10.0.0.01',
      '10.0.0.256',
      '10.0.0.1/24',
      '0x0a000001',
      '1::2::3',
      ':::',
      '1:2:3:4:5:6:7:8:9',
    ];
    for (const text of [...bad, '12345::', 'fe80::1%eth0', '::1.2.3', '1.2.3.4::', ' 10.0.0.1', '10.0.0.1\n']) {
      expect(parseIp(text), text).toBeNull();
    }
  });

  it('form prefixes with their host bits cleared', () => {
    const prefix = parsePrefix('10.1.2.77/26')!;
    expect(formatPrefix(prefix)).toBe('10.1.2.64/26');
    expect(formatIp(4, lastOf(prefix))).toBe('10.1.2.127');
    expect(contains(prefix, parseIp('10.1.2.100')!)).toBe(true);
    expect(contains(prefix, parseIp('10.1.2.128')!)).toBe(false);
    expect(overlap(prefix, parsePrefix('10.1.0.0/16')!)).toBe(true);
    expect(overlap(prefix, parsePrefix('10.1.2.128/26')!)).toBe(false);
    for (const bad of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '::/129', '/8'])
      expect(parsePrefix(bad)).toBeNull();
  });
});

describe('Ethernet addresses', () => {
  it('are made below the base', () => {
    expect(macFrom(0xabcdef)).toBe('fa:16:3e:ab:cd:ef');
    expect(responderMac('11111111-1111-4111-8111-1111112A3b4c')).toBe('fa:16:3f:2a:3b:4c');
  });

  it('are canonical, unicast and not null', () => {
    expect(canonicalMac('FA-16-3E-00-00-01')).toBe('fa:16:3e:00:00:01');
    expect(canonicalMac('fa163e000001')).toBe('fa:16:3e:00:00:01');
    for (const bad of [
      '01:00:5e:00:00:01',
      '00:00:00:00:00:00',
      'fa:16:3e:00:00',
      'fa:16-3e:00:00:01',
      'xx:16:3e:00:00:01',
    ]) {
      expect(canonicalMac(bad), bad).toBeNull();
    }
  });

  it('become host parts of self-addressed subnets', () => {
    expect(eui64(parsePrefix('2001:db8::/64')!, 'fa:16:3e:01:02:03')).toBe('2001:db8::f816:3eff:fe01:203');
  });
});
