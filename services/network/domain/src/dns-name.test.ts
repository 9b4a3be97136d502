import { describe, expect, it } from 'vitest';
import { checkedDnsDomain, checkedDnsName, dnsAssignment } from './dns-name.js';

describe('names of hosts', () => {
  it('are kept in lower case, whole or relative', () => {
    expect(checkedDnsName('Web-1')).toBe('web-1');
    expect(checkedDnsName('Web.Example.org.')).toBe('web.example.org.');
    expect(checkedDnsName('')).toBe('');
  });

  it.each(['-a', 'a-', 'a..b', 'a_b', 'a b', 'a\nb', '.', 'a.7', 'a'.repeat(64), `${'a.'.repeat(128)}b`])(
    'are refused where they are none: %j',
    (name) => {
      expect(() => checkedDnsName(name)).toThrow(/not a valid host name/);
    },
  );
});

describe('domains', () => {
  it('must be complete', () => {
    expect(checkedDnsDomain('My.Org.')).toBe('my.org.');
    expect(() => checkedDnsDomain('my.org')).toThrow(/FQDN/);
    expect(() => checkedDnsDomain('my..org.')).toThrow(/not a valid domain/);
    expect(() => checkedDnsDomain(`${'a.'.repeat(127)}`)).toThrow(/no room/);
  });
});

describe('assignments', () => {
  it('name each address, after the port or after itself', () => {
    expect(dnsAssignment('web', ['10.0.0.3', 'fd00::3'], 'my.org.')).toEqual([
      { ip: '10.0.0.3', hostname: 'web', fqdn: 'web.my.org.' },
      { ip: 'fd00::3', hostname: 'web', fqdn: 'web.my.org.' },
    ]);
    expect(dnsAssignment('', ['10.0.0.3'], 'my.org.')).toEqual([
      { ip: '10.0.0.3', hostname: 'host-10-0-0-3', fqdn: 'host-10-0-0-3.my.org.' },
    ]);
    expect(dnsAssignment('web.other.', ['10.0.0.3'], 'my.org.')[0]?.fqdn).toBe('web.other.');
  });
});
