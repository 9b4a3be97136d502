import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDhcpOptions, mergedDhcpOptions, ownDhcp } from './dhcp-option.js';

const option = (name: string, value: string, version: 4 | 6 = 4) => ({ name, value, version });
const told = (name: string, value: string, version: 4 | 6 = 4) =>
  Object.fromEntries(ownDhcp([option(name, value, version)], version).options);

describe('DHCP options of a port', () => {
  it.each([
    [option('a\nb', 'x'), /no name/],
    [option('', 'x'), /no name/],
    [option('n'.repeat(65), 'x'), /no name/],
    [option('bootfile-name', ''), /needs a value/],
    [option('bootfile-name', 'a\r\nb'), /one line/],
    [option('bootfile-name', 'a\u2028b'), /one line/],
    [option('bootfile-name', 'x'.repeat(256)), /too long/],
  ])('are refused where they are none: %j', (bad, why) => {
    expect(() => checkDhcpOptions([bad])).toThrow(why);
  });

  it('may be blank where that means something, and of any name', () => {
    expect(() =>
      checkDhcpOptions([option('router', ''), option('my-own', 'x'), { ...option('x', ''), value: null }]),
    ).not.toThrow();
  });

  it('are changed one by one', () => {
    const now = [option('mtu', '1400'), option('wpad', 'x')];
    const wishes = [{ name: 'mtu', version: 4 as const, value: null }, option('mtu', '1300', 6), option('wpad', 'y')];
    expect(mergedDhcpOptions(now, wishes)).toEqual([option('wpad', 'y'), option('mtu', '1300', 6)]);
    const many = Array.from({ length: 65 }, (_, i) => option(`o${i}`, 'x'));
    expect(() => mergedDhcpOptions([], many)).toThrow(/at most 64/);
  });
});

describe('what OVN is told', () => {
  it('is in its own words', () => {
    expect(told('bootfile-name', 'pxelinux.0')).toEqual({ bootfile_name: '"pxelinux.0"' });
    expect(told('67', '"pxelinux.0"')).toEqual({ bootfile_name: '"pxelinux.0"' });
    expect(told('tftp-server', '10.0.0.9')).toEqual({ tftp_server: '10.0.0.9' });
    expect(told('tftp-server', 'boot.my.org')).toEqual({ tftp_server: '"boot.my.org"' });
    expect(told('server-ip-address', '10.0.0.9')).toEqual({ next_server: '10.0.0.9' });
    expect(told('ntp-server', '10.0.0.8,10.0.0.9')).toEqual({ ntp_server: '{10.0.0.8, 10.0.0.9}' });
    expect(told('mtu', '1400')).toEqual({ mtu: '1400' });
    expect(told('classless-static-route', '10.9.0.0/16,10.0.0.9')).toEqual({
      classless_static_route: '{10.9.0.0/16, 10.0.0.9}',
    });
    expect(told('router', '')).toEqual({ router: null });
    expect(told('dns-server', 'fd00::53', 6)).toEqual({ dns_server: 'fd00::53' });
    expect(told('23', 'fd00::53', 6)).toEqual({ dns_server: 'fd00::53' });
  });

  it('is nothing that it has no word for, or that is no value of the kind', () => {
    for (const [name, value] of [
      ['client-id', 'x'],
      ['constructor', 'x'],
      ['__proto__', 'x'],
      ['mtu', '65536'],
      ['mtu', '1e3'],
      ['server-ip-address', '2015::badd'],
      ['ntp-server', 'ntp.my.org'],
      ['bootfile-name', 'a"; drop; "'],
      ['bootfile-name', 'a\\'],
      ['domain-search', 'a b'],
      ['classless-static-route', '10.0.0.0/8'],
      ['ip-forward-enable', 'perhaps'],
    ] as const)
      expect(told(name, value), `${name}=${value}`).toEqual({});
    expect(told('mtu', '1400', 6)).toEqual({});
  });

  it('ends where the client wants no DHCP', () => {
    expect(ownDhcp([option('dhcp_disabled', 'true')], 4).disabled).toBe(true);
    expect(ownDhcp([option('dhcp_disabled', 'true')], 6).disabled).toBe(false);
    expect(ownDhcp([option('dhcp_disabled', 'no')], 4).disabled).toBe(false);
  });

  it('never leaves its place in a list of values', () => {
    const names = fc.constantFrom(
      'router',
      'mtu',
      'bootfile-name',
      'tftp-server',
      'domain-search',
      'ntp-server',
      '121',
    );
    fc.assert(
      fc.property(names, fc.string({ maxLength: 40 }), (name, value) => {
        for (const encoded of Object.values(told(name, value)))
          expect(encoded ?? '').toMatch(/^(?:|[0-9a-f.:]+|\{[0-9a-f.:/, ]+\}|"[^"\\]*")$/);
      }),
    );
  });
});
