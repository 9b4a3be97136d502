/** What OVN really does with the rules: ovn-trace follows single packets through the flows that northd made of them. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  contains,
  NbPlan,
  parseIp,
  parsePrefix,
  protocolNumber,
  type RuleShape,
  type Subnet,
  shapeRule,
  shapeSubnet,
} from '#services/network/domain';
import { encode, NbReplica } from './northbound.js';
import {
  born,
  expression,
  GROUP_IDS,
  GUESTS,
  type Guest,
  network,
  type Packet,
  portOf,
  type Rules,
  TracedNetwork,
} from './traced-network.fixture.js';

let net: TracedNetwork;
beforeAll(async () => {
  net = await TracedNetwork.start();
});
afterAll(() => net.stop());

/** The same by the books: somebody's rule lets it out, and somebody's rule lets it in. */
function allowed(packet: Packet, rules: Rules): boolean {
  const lets = (who: Guest, direction: string, remote: Guest): boolean =>
    rules.some(
      ([group, rule]) => who.groupIds.includes(group) && rule.direction === direction && fits(rule, packet, remote),
    );
  return lets(packet.from, 'egress', packet.to) && lets(packet.to, 'ingress', packet.from);
}

function fits(rule: RuleShape, packet: Packet, remote: Guest): boolean {
  if (rule.ethertype !== `IPv${packet.version}`) return false;
  const address = packet.version === 4 ? remote.v4 : remote.v6;
  const prefix = rule.remotePrefix === null ? null : parsePrefix(rule.remotePrefix);
  if (prefix && !contains(prefix, parseIp(address)!)) return false;
  if (rule.remoteGroupId !== null && !remote.groupIds.includes(rule.remoteGroupId)) return false;
  const number = protocolNumber(
    packet.protocol === 'icmp' && packet.version === 6 ? 'ipv6-icmp' : String(packet.protocol),
  );
  if (rule.protocol !== null && protocolNumber(rule.protocol) !== number) return false;
  if (rule.portMin === null) return true;
  if (packet.protocol === 'icmp') return rule.portMin === packet.port && (rule.portMax ?? 0) === 0;
  return packet.port >= rule.portMin && packet.port <= (rule.portMax ?? rule.portMin);
}

const PORTS = [22, 80, 443];
const anyRule: fc.Arbitrary<RuleShape> = fc
  .record({
    direction: fc.constantFrom('ingress', 'ingress', 'egress'),
    ethertype: fc.constantFrom('IPv4', 'IPv6'),
    protocol: fc.constantFrom(null, 'tcp', 'udp', '6', 'icmp'),
    port: fc.constantFrom(null, ...PORTS),
    upTo: fc.constantFrom(0, 0, 400),
    remote: fc.constantFrom('none', 'none', 'group', 'half', 'one'),
    group: fc.constantFrom(...GROUP_IDS),
  })
  .map((given) => {
    const isIcmp = given.protocol === 'icmp';
    const ranged = given.port !== null && given.protocol !== null && !isIcmp;
    const icmpType = given.ethertype === 'IPv4' ? 8 : 128;
    const prefixes =
      given.ethertype === 'IPv4'
        ? { half: '10.0.0.8/29', one: '10.0.0.11' }
        : { half: 'fd00::10/126', one: 'fd00::12' };
    return shapeRule({
      direction: given.direction,
      ethertype: given.ethertype,
      protocol: given.protocol,
      portMin: ranged ? given.port : isIcmp && given.port !== null ? icmpType : null,
      portMax: ranged ? given.port! + given.upTo : null,
      remotePrefix: given.remote === 'half' || given.remote === 'one' ? prefixes[given.remote] : null,
      remoteGroupId: given.remote === 'group' ? given.group : null,
    });
  });
const anyPacket: fc.Arbitrary<Packet> = fc
  .record({
    from: fc.constantFrom(...GUESTS),
    to: fc.constantFrom(...GUESTS),
    version: fc.constantFrom(4 as const, 6 as const),
    protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
    port: fc.constantFrom(...PORTS),
  })
  .filter((packet) => packet.from !== packet.to)
  .map((packet) => (packet.protocol === 'icmp' ? { ...packet, port: packet.version === 4 ? 8 : 128 } : packet));

const opened = (group: string): Rules => [
  [group, shapeRule({ direction: 'egress', ethertype: 'IPv4' })],
  [group, shapeRule({ direction: 'egress', ethertype: 'IPv6' })],
  [group, shapeRule({ direction: 'ingress', ethertype: 'IPv4' })],
  [group, shapeRule({ direction: 'ingress', ethertype: 'IPv6' })],
];

describe('rules in OVN', () => {
  it('let through what the books say, and nothing else', async () => {
    const sets = fc.sample(
      fc.tuple(
        fc.array(fc.tuple(fc.constantFrom(...GROUP_IDS), anyRule), { minLength: 6, maxLength: 14 }),
        fc.array(anyPacket, { minLength: 12, maxLength: 12 }),
      ),
      { numRuns: 6, seed: 20260101 },
    );
    let through = 0;
    let total = 0;
    for (const [given, packets] of sets) {
      const rules: Rules = [
        ...given,
        ...GROUP_IDS.slice(0, 2).map((id) => [id, shapeRule({ direction: 'egress' })] as const),
      ];
      await net.apply(rules);
      for (const packet of packets) {
        const expected = allowed(packet, rules);
        const flow = expression(packet);
        expect(net.delivered(flow, packet.to), `${flow}\n${JSON.stringify(rules)}`).toBe(expected);
        through += expected ? 1 : 0;
        total += 1;
      }
    }
    expect(through).toBeGreaterThan(3);
    expect(total - through).toBeGreaterThan(20);
  }, 120_000);

  it('keep guests from sending as somebody else, whatever the rules allow', async () => {
    await net.apply(GROUP_IDS.flatMap(opened));
    const [a, b, c] = GUESTS as [Guest, Guest, Guest];
    const tcp = 'ip.ttl == 64 && tcp.dst == 80 && tcp.src == 40000';
    const flow = (mac: string, ip: string, rest: string) =>
      `inport == "${a.id}" && eth.src == ${mac} && eth.dst == ${b.mac} && ${ip} && ${rest}`;
    const to = (src: string) => `ip4.src == ${src} && ip4.dst == ${b.v4}`;
    const to6 = (src: string) => `ip6.src == ${src} && ip6.dst == ${b.v6}`;
    expect(net.delivered(flow(a.mac, to(a.v4), tcp), b), 'its own').toBe(true);
    expect(net.delivered(flow(a.mac, to6(a.v6), tcp), b), 'its own IPv6').toBe(true);
    expect(net.delivered(flow(c.mac, to(a.v4), tcp), b), 'a foreign MAC').toBe(false);
    expect(net.delivered(flow(a.mac, to(c.v4), tcp), b), 'a foreign address').toBe(false);
    expect(net.delivered(flow(a.mac, to6(c.v6), tcp), b), 'a foreign IPv6 address').toBe(false);
    const arp = (spa: string, sha: string) =>
      `arp.op == 2 && arp.spa == ${spa} && arp.sha == ${sha} && arp.tpa == ${b.v4} && arp.tha == ${b.mac}`;
    expect(net.delivered(flow(a.mac, 'arp', arp(a.v4, a.mac)), b), 'an ARP answer of its own').toBe(true);
    expect(net.delivered(flow(a.mac, 'arp', arp(c.v4, a.mac)), b), 'an ARP answer for another').toBe(false);
    const dhcp = 'ip.ttl == 64 && udp.src == 67 && udp.dst == 68';
    expect(net.delivered(flow(a.mac, to(a.v4), dhcp), b), 'a DHCP offer').toBe(false);
    const dhcp6 = 'ip.ttl == 64 && udp.src == 547 && udp.dst == 546';
    expect(net.delivered(flow(a.mac, to6(a.v6), dhcp6), b), 'a DHCPv6 offer').toBe(false);
    expect(net.delivered(flow(a.mac, 'eth.type == 0x88cc', 'eth.type == 0x88cc'), b), 'no IP at all').toBe(false);
    const nd = (claimed: string, sender: string) =>
      `icmp6.type == 136 && icmp6.code == 0 && ip.ttl == 255 && nd.target == ${claimed} && nd.tll == ${sender}`;
    expect(net.delivered(flow(a.mac, to6(a.v6), nd(a.v6, a.mac)), b), 'an advertisement of its own').toBe(true);
    expect(net.delivered(flow(a.mac, to6(a.v6), nd(c.v6, a.mac)), b), 'an advertisement for another').toBe(false);
  }, 60_000);

  it('let a guest speak as its own link-local address, and one without addresses as nothing else', async () => {
    await net.apply(GROUP_IDS.flatMap(opened));
    const [a, b, c] = GUESTS as [Guest, Guest, Guest];
    const [only4, only6, bare] = [
      {
        ...portOf(a),
        id: randomUUID(),
        mac: 'fa:16:3e:00:00:21',
        fixedIps: [{ subnetId: 's4', address: '10.0.0.21' }],
      },
      {
        ...portOf(a),
        id: randomUUID(),
        mac: 'fa:16:3e:00:00:23',
        fixedIps: [{ subnetId: 's6', address: 'fd00::23' }],
        addressPairs: [
          { mac: 'fa:16:3e:00:00:24', ip: 'fd00::24' },
          { mac: 'fa:16:3e:00:00:25', ip: '10.0.0.25' },
        ],
      },
      { ...portOf(a), id: randomUUID(), mac: 'fa:16:3e:00:00:22', fixedIps: [] },
    ] as const;
    const plan = new NbPlan(new NbReplica(net.client.replica));
    for (const port of [only4, only6, bare]) plan.port(port, { network, subnets: [] });
    await net.client.transact(encode(net.client, plan.operations()));
    net.ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
    const through = (from: { readonly id: string; readonly mac: string }, ip: string) => {
      const to = `eth.dst == ${b.mac} && ip.ttl == 64 && tcp.dst == 80 && tcp.src == 40000`;
      return net.delivered(`inport == "${from.id}" && eth.src == ${from.mac} && ${ip} && ${to}`, b);
    };
    const v4 = (src: string) => `ip4.src == ${src} && ip4.dst == ${b.v4}`;
    const v6 = (src: string) => `ip6.src == ${src} && ip6.dst == fe80::f816:3eff:fe00:2`;
    const arp = (from: { readonly id: string; readonly mac: string }, spa: string) =>
      net.delivered(
        `inport == "${from.id}" && eth.src == ${from.mac} && eth.dst == ${b.mac} && arp.op == 2 && arp.spa == ${spa} && arp.sha == ${from.mac} && arp.tpa == ${b.v4} && arp.tha == ${b.mac}`,
        b,
      );
    expect(through(a, v6('fe80::f816:3eff:fe00:1')), 'beside others of IPv6').toBe(true);
    expect(through(only4, v4('10.0.0.21'))).toBe(true);
    expect(through(only4, v6('fe80::f816:3eff:fe00:21')), 'beside one of IPv4').toBe(true);
    expect(through(only4, v6('fe80::f816:3eff:fe00:1')), 'that of another').toBe(false);
    expect(through(only4, v6(c.v6)), 'an IPv6 address of another').toBe(false);
    expect(through(bare, v6('fe80::f816:3eff:fe00:22'))).toBe(true);
    expect(through(bare, v6(c.v6))).toBe(false);
    expect(through(bare, v4(c.v4)), 'an address of another').toBe(false);
    expect(arp(only4, '10.0.0.21')).toBe(true);
    expect(arp(only4, c.v4)).toBe(false);
    expect(arp(bare, c.v4), 'an ARP answer of a guest without addresses').toBe(false);
    expect(through(only6, v6('fd00::23'))).toBe(true);
    expect(through(only6, v4(c.v4))).toBe(false);
    expect(arp(only6, c.v4), 'an ARP answer of a guest without IPv4').toBe(false);
    const pair = { id: only6.id, mac: 'fa:16:3e:00:00:24' };
    expect(through(pair, v6('fd00::24')), 'a pair').toBe(true);
    expect(through(pair, v6(c.v6))).toBe(false);
    expect(through(pair, v4(c.v4))).toBe(false);
    expect(arp(pair, c.v4), 'an ARP answer from a pair without IPv4').toBe(false);
    const other = { id: only6.id, mac: 'fa:16:3e:00:00:25' };
    expect(through(other, v4('10.0.0.25'))).toBe(true);
    const advertised = `icmp6.type == 136 && icmp6.code == 0 && nd.target == ${c.v6} && nd.tll == ${other.mac}`;
    const from = `inport == "${other.id}" && eth.src == ${other.mac} && eth.dst == ${b.mac}`;
    const told = `${from} && ip6.src == fe80::f816:3eff:fe00:25 && ip6.dst == ${b.v6} && ip.ttl == 255 && ${advertised}`;
    expect(net.delivered(told, b), 'an advertisement from a pair without IPv6').toBe(false);
    await net.client.transact(
      encode(
        net.client,
        new NbPlan(new NbReplica(net.client.replica))
          .portGone(only4.id)
          .portGone(only6.id)
          .portGone(bare.id)
          .operations(),
      ),
    );
  }, 60_000);

  it('let nothing in or out where no rule says so', async () => {
    await net.apply([]);
    const [a, b] = GUESTS as [Guest, Guest];
    const packet: Packet = { from: a, to: b, version: 4, protocol: 'tcp', port: 80 };
    expect(net.delivered(expression(packet), b)).toBe(false);
    const loner = GUESTS[4]!;
    await net.apply(GROUP_IDS.flatMap(opened));
    expect(net.delivered(expression({ ...packet, to: loner }), loner)).toBe(false);
    expect(net.delivered(expression({ ...packet, from: loner, to: a }), a)).toBe(false);
    expect(net.delivered(expression(packet), b)).toBe(true);
  }, 60_000);

  it('need no connection tracking where a group says so', async () => {
    await net.apply(GROUP_IDS.flatMap(opened), false);
    const [a, b] = GUESTS as [Guest, Guest];
    expect(net.delivered(expression({ from: a, to: b, version: 4, protocol: 'tcp', port: 80 }), b)).toBe(true);
    const actions = new Set([...net.client.replica.table('ACL').values()].map((acl) => acl.action));
    expect(actions).toEqual(new Set(['allow-stateless', 'allow', 'drop']));
  }, 60_000);

  it('answer guests that ask for their address, with all options that a subnet can have', async () => {
    const [a] = GUESTS as [Guest];
    const shape = shapeSubnet({
      version: 4,
      cidr: '10.0.0.0/24',
      dns: ['9.9.9.9', '1.1.1.1'],
      routes: [{ destination: '10.5.0.0/16', nexthop: '10.0.0.9' }],
    });
    const subnet: Subnet = {
      id: randomUUID(),
      networkId: network.id,
      projectId: 'p',
      name: '',
      description: '',
      ...shape,
      ...born,
    };
    await net.apply([]);
    const port = { ...portOf(a), hostname: 'web-1', fixedIps: [{ subnetId: subnet.id, address: a.v4 }] };
    const plan = new NbPlan(new NbReplica(net.client.replica)).subnet(subnet, {
      network,
      metadataIp: '10.0.0.2',
      defaultDns: [],
    });
    await net.client.transact(encode(net.client, plan.port(port, { network, subnets: [subnet] }).operations()));
    net.ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
    const discover = `inport == "${a.id}" && eth.src == ${a.mac} && eth.dst == ff:ff:ff:ff:ff:ff && ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && ip.ttl == 64 && udp.src == 68 && udp.dst == 67`;
    const trace = net.ovn.tool('ovn-trace', '--no-friendly-names', `net_${network.id}`, discover);
    expect(trace).toContain('put_dhcp_opts(');
    expect(trace).toContain('hostname = "web-1"');
    expect(trace).toContain(`output to "${a.id}"`);
  }, 60_000);
});
