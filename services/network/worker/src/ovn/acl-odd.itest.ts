/** Rules that are valid and odd: every protocol there is, address groups of all kinds, and sets that OVN has lost. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AddressGroup,
  addressSetIds,
  contains,
  PROTOCOLS,
  parseIp,
  parsePrefix,
  readAddresses,
  shapeRule,
} from '#services/network/domain';
import { born, expression, GROUP_IDS, GUESTS, type Rules, TracedNetwork } from './traced-network.fixture.js';

let net: TracedNetwork;
beforeAll(async () => {
  net = await TracedNetwork.start();
});
afterAll(() => net.stop());

const [A, B] = [GROUP_IDS[0]!, GROUP_IDS[1]!];
const [a, b, c] = [GUESTS[0]!, GUESTS[1]!, GUESTS[2]!];
const OUT: Rules = [A, B].flatMap((group) =>
  ['IPv4', 'IPv6'].map((ethertype) => [group, shapeRule({ direction: 'egress', ethertype })] as const),
);
const addressGroup = (addresses: readonly string[]): AddressGroup => ({
  id: randomUUID(),
  projectId: 'p',
  name: '',
  description: '',
  sharedWith: [],
  addresses: readAddresses(addresses),
  ...born,
});
const within = (addresses: readonly string[], ip: string): boolean =>
  addresses.some((address) => contains(parsePrefix(address)!, parseIp(ip)!));
const ssh = (from: typeof a, to: typeof a, version: 4 | 6) =>
  net.delivered(expression({ from, to, version, protocol: 'tcp', port: 22 }), to);

describe('a rule for a protocol', () => {
  const numbers = [...new Set([...PROTOCOLS.values(), 3, 58, 99, 200, 253, 254, 255])].filter(
    (number) => ![1, 6, 17, 58, 132].includes(number),
  );

  it.each([4, 6] as const)(
    'lets through that protocol and no other, in IPv%i',
    async (version) => {
      const ethertype = `IPv${version}`;
      const only6 = new Set([41, 43, 44, 58, 59, 60]);
      const possible = numbers.filter((number) => version === 6 || !only6.has(number));
      const rules = possible.map((protocol) => [B, shapeRule({ direction: 'ingress', ethertype, protocol })] as const);
      await net.apply([...OUT, ...rules]);
      for (const protocol of possible) {
        const flow = expression({ from: a, to: b, version, protocol, port: 0 });
        expect(net.delivered(flow, b), flow).toBe(true);
      }
      expect(net.delivered(expression({ from: a, to: b, version, protocol: 77, port: 0 }), b)).toBe(false);
      expect(ssh(a, b, version)).toBe(false);
    },
    120_000,
  );

  it('compiles for every number at once, so that rules beside it go on', async () => {
    const every = Array.from({ length: 256 }, (_, protocol) => protocol).flatMap((protocol) =>
      ['IPv4', 'IPv6'].flatMap((ethertype) => {
        const refused = ethertype === 'IPv4' && [41, 43, 44, 58, 59, 60].includes(protocol);
        // In IPv6, 1 is another way to say 58.
        const twice = ethertype === 'IPv6' && protocol === 1;
        return refused || twice ? [] : [[B, shapeRule({ direction: 'ingress', ethertype, protocol })] as const];
      }),
    );
    await net.apply([...OUT, ...every]);
    for (const version of [4, 6] as const) {
      expect(ssh(a, b, version)).toBe(true);
      expect(net.delivered(expression({ from: a, to: b, version, protocol: 'icmp', port: 77 }), b)).toBe(true);
    }
  }, 60_000);

  it('knows types and codes of ICMP up to the last', async () => {
    const icmp = (ethertype: string, portMin: number, portMax: number | null) =>
      [B, shapeRule({ direction: 'ingress', ethertype, protocol: 'icmp', portMin, portMax })] as const;
    await net.apply([...OUT, icmp('IPv4', 0, 0), icmp('IPv4', 255, null), icmp('IPv6', 255, 255), icmp('IPv6', 1, 0)]);
    const through = (version: 4 | 6, port: number) =>
      net.delivered(expression({ from: a, to: b, version, protocol: 'icmp', port }), b);
    expect([through(4, 0), through(4, 255), through(4, 8)]).toEqual([true, true, false]);
    expect([through(6, 1), through(6, 255), through(6, 128)]).toEqual([true, false, false]);
  }, 60_000);
});

describe('a rule for an address group', () => {
  const anyAddresses = fc.array(
    fc.constantFrom(
      '0.0.0.0/0',
      '10.0.0.0/8',
      '10.0.0.8/29',
      '10.0.0.11',
      '10.0.0.12/32',
      '192.0.2.0/24',
      '::/0',
      'fd00::/64',
      'fd00::10/126',
      'fd00::12',
      '2001:db8::/32',
    ),
    { maxLength: 5 },
  );

  it('lets through what comes from its addresses, and nothing else', async () => {
    const sets = fc.sample(fc.tuple(anyAddresses, anyAddresses), { numRuns: 10, seed: 7 });
    let through = 0;
    for (const [first, second] of sets) {
      const groups = [addressGroup(first), addressGroup(second)];
      const rules = groups.flatMap((group, n) =>
        ['IPv4', 'IPv6'].map(
          (ethertype) =>
            [[A, B][n]!, shapeRule({ direction: 'ingress', ethertype, remoteAddressGroupId: group.id })] as const,
        ),
      );
      await net.apply([...OUT, ...rules, [GROUP_IDS[2]!, shapeRule({ direction: 'egress' })]], true, groups);
      for (const [from, to, group] of [
        [b, a, groups[0]!],
        [c, a, groups[0]!],
        [a, b, groups[1]!],
      ] as const) {
        const expected = within(group.addresses, from.v4);
        expect(ssh(from, to, 4), `${from.v4} in ${group.addresses}`).toBe(expected);
        through += expected ? 1 : 0;
      }
      expect(ssh(a, b, 6), `${a.v6} in ${groups[1]!.addresses}`).toBe(within(groups[1]!.addresses, a.v6));
    }
    expect(through).toBeGreaterThan(3);
    expect(through).toBeLessThan(27);
  }, 120_000);

  it('whose set OVN has lost lets nothing through, and the rules beside it go on', async () => {
    const group = addressGroup(['0.0.0.0/0', '::/0']);
    const named = (ethertype: string) =>
      [B, shapeRule({ direction: 'ingress', ethertype, remoteAddressGroupId: group.id })] as const;
    const other = [A, shapeRule({ direction: 'ingress', protocol: 'tcp', portMin: 22, portMax: 22 })] as const;
    await net.apply([...OUT, named('IPv4'), named('IPv6'), other], true, [group]);
    expect([ssh(a, b, 4), ssh(a, b, 6), ssh(b, a, 4)]).toEqual([true, true, true]);
    for (const id of addressSetIds(group.id)) net.ovn.tool('ovn-nbctl', 'destroy', 'Address_Set', id);
    net.ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
    expect([ssh(a, b, 4), ssh(a, b, 6), ssh(b, a, 4)]).toEqual([false, false, true]);
  }, 60_000);
});
