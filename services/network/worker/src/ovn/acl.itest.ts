/** What OVN really does with the rules: ovn-trace follows single packets through the flows that northd made of them. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OvsdbClient } from '#libs/platform/ovsdb';
import { type OvnDatabases, startOvnDatabases } from '#libs/testing';
import {
  contains,
  NbPlan,
  type Network,
  type Port,
  parseIp,
  parsePrefix,
  protocolNumber,
  type RuleShape,
  type SecurityGroup,
  type Subnet,
  shapeRule,
  shapeSubnet,
} from '#services/network/domain';
import { encode, type NbClient, NbReplica, NORTHBOUND } from './northbound.js';

const born = { createdAt: new Date(0), updatedAt: new Date(0), revision: 1, tags: [] };
const network: Network = {
  id: randomUUID(),
  projectId: 'p',
  name: '',
  description: '',
  adminStateUp: true,
  sharedWith: [],
  external: false,
  externalTo: [],
  isDefault: false,
  networkType: 'geneve',
  physicalNetwork: null,
  tunnelKey: 77,
  qosPolicyId: null,
  mtu: 1442,
  portSecurity: true,
  segmentationId: 5,
  subnetIds: [],
  ...born,
};
const GROUP_IDS = [randomUUID(), randomUUID(), randomUUID()];

interface Guest {
  readonly id: string;
  readonly mac: string;
  readonly v4: string;
  readonly v6: string;
  readonly groupIds: readonly string[];
}
const guest = (n: number, groupIds: readonly string[]): Guest => ({
  id: randomUUID(),
  mac: `fa:16:3e:00:00:0${n}`,
  v4: `10.0.0.1${n}`,
  v6: `fd00::1${n}`,
  groupIds,
});
/** One guest in each group, one in two, one in none. */
const GUESTS = [
  guest(1, [GROUP_IDS[0]!]),
  guest(2, [GROUP_IDS[1]!]),
  guest(3, [GROUP_IDS[2]!]),
  guest(4, [GROUP_IDS[0]!, GROUP_IDS[1]!]),
  guest(5, []),
];

let ovn: OvnDatabases;
let client: NbClient;

beforeAll(async () => {
  ovn = await startOvnDatabases({ northd: true });
  client = new OvsdbClient({ remotes: ovn.nb, database: 'OVN_Northbound', tables: NORTHBOUND }).start();
  await client.synced(5000);
});
afterAll(() => {
  client.close();
  ovn.stop();
});

const portOf = (who: Guest): Port => ({
  id: who.id,
  networkId: network.id,
  projectId: 'p',
  name: '',
  description: '',
  mac: who.mac,
  adminStateUp: true,
  deviceId: '',
  deviceOwner: '',
  status: 'DOWN',
  host: '',
  vnicType: 'normal',
  profile: {},
  portSecurity: true,
  addressPairs: [],
  hostname: '',
  ownedByServer: false,
  qosPolicyId: null,
  fixedIps: [
    { subnetId: 's4', address: who.v4 },
    { subnetId: 's6', address: who.v6 },
  ],
  groupIds: who.groupIds,
  ...born,
});

type Rules = readonly (readonly [groupId: string, rule: RuleShape])[];

/** Makes these rules, and no others, the ones in force. */
async function apply(rules: Rules, stateful = true): Promise<void> {
  const groups = GROUP_IDS.map((id): SecurityGroup => {
    const own = rules.filter(([group]) => group === id);
    const shared = { groupId: id, projectId: 'p', description: '', ofDefaultGroup: false, ...born };
    return {
      id,
      projectId: 'p',
      name: '',
      description: '',
      sharedWith: [],
      stateful,
      isDefault: false,
      rules: own.map(([, rule]) => ({ id: randomUUID(), ...shared, ...rule })),
      ...born,
    };
  });
  const plan = new NbPlan(new NbReplica(client.replica)).guard().network(network);
  for (const group of groups) plan.group(group);
  for (const who of GUESTS) plan.port(portOf(who), { network, subnets: [] });
  await client.transact(encode(client, plan.operations()));
  ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
}

interface Packet {
  readonly from: Guest;
  readonly to: Guest;
  readonly version: 4 | 6;
  readonly protocol: string;
  /** Destination port, or the type of an ICMP message. */
  readonly port: number;
}

function expression(packet: Packet): string {
  const { from, to, version, protocol, port } = packet;
  const [src, dst] = version === 4 ? [from.v4, to.v4] : [from.v6, to.v6];
  const icmp = version === 4 ? 'icmp4' : 'icmp6';
  const upper =
    protocol === 'icmp'
      ? `${icmp}.type == ${port} && ${icmp}.code == 0`
      : `${protocol}.dst == ${port} && ${protocol}.src == 40000`;
  return `inport == "${from.id}" && eth.src == ${from.mac} && eth.dst == ${to.mac} && ip${version}.src == ${src} && ip${version}.dst == ${dst} && ip.ttl == 64 && ${upper}`;
}

/** Where OVN delivers a packet that no connection is known for. */
function delivered(flow: string, to: Guest): boolean {
  const out = ovn.tool(
    'ovn-trace',
    '--ct=new',
    '--ct=new',
    '--ct=new',
    '--minimal',
    '--no-friendly-names',
    `net_${network.id}`,
    flow,
  );
  return out.includes(`output("${to.id}")`);
}

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
  const number = protocolNumber(packet.protocol === 'icmp' && packet.version === 6 ? 'ipv6-icmp' : packet.protocol);
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
      await apply(rules);
      for (const packet of packets) {
        const expected = allowed(packet, rules);
        const flow = expression(packet);
        expect(delivered(flow, packet.to), `${flow}\n${JSON.stringify(rules)}`).toBe(expected);
        through += expected ? 1 : 0;
        total += 1;
      }
    }
    expect(through).toBeGreaterThan(3);
    expect(total - through).toBeGreaterThan(20);
  }, 120_000);

  it('keep guests from sending as somebody else, whatever the rules allow', async () => {
    await apply(GROUP_IDS.flatMap(opened));
    const [a, b, c] = GUESTS as [Guest, Guest, Guest];
    const tcp = 'ip.ttl == 64 && tcp.dst == 80 && tcp.src == 40000';
    const flow = (mac: string, ip: string, rest: string) =>
      `inport == "${a.id}" && eth.src == ${mac} && eth.dst == ${b.mac} && ${ip} && ${rest}`;
    const to = (src: string) => `ip4.src == ${src} && ip4.dst == ${b.v4}`;
    const to6 = (src: string) => `ip6.src == ${src} && ip6.dst == ${b.v6}`;
    expect(delivered(flow(a.mac, to(a.v4), tcp), b), 'its own').toBe(true);
    expect(delivered(flow(a.mac, to6(a.v6), tcp), b), 'its own IPv6').toBe(true);
    expect(delivered(flow(c.mac, to(a.v4), tcp), b), 'a foreign MAC').toBe(false);
    expect(delivered(flow(a.mac, to(c.v4), tcp), b), 'a foreign address').toBe(false);
    expect(delivered(flow(a.mac, to6(c.v6), tcp), b), 'a foreign IPv6 address').toBe(false);
    const arp = (spa: string, sha: string) =>
      `arp.op == 2 && arp.spa == ${spa} && arp.sha == ${sha} && arp.tpa == ${b.v4} && arp.tha == ${b.mac}`;
    expect(delivered(flow(a.mac, 'arp', arp(a.v4, a.mac)), b), 'an ARP answer of its own').toBe(true);
    expect(delivered(flow(a.mac, 'arp', arp(c.v4, a.mac)), b), 'an ARP answer for another').toBe(false);
    const dhcp = 'ip.ttl == 64 && udp.src == 67 && udp.dst == 68';
    expect(delivered(flow(a.mac, to(a.v4), dhcp), b), 'a DHCP offer').toBe(false);
    const dhcp6 = 'ip.ttl == 64 && udp.src == 547 && udp.dst == 546';
    expect(delivered(flow(a.mac, to6(a.v6), dhcp6), b), 'a DHCPv6 offer').toBe(false);
    expect(delivered(flow(a.mac, 'eth.type == 0x88cc', 'eth.type == 0x88cc'), b), 'no IP at all').toBe(false);
    const nd = (claimed: string, sender: string) =>
      `icmp6.type == 136 && icmp6.code == 0 && ip.ttl == 255 && nd.target == ${claimed} && nd.tll == ${sender}`;
    expect(delivered(flow(a.mac, to6(a.v6), nd(a.v6, a.mac)), b), 'an advertisement of its own').toBe(true);
    expect(delivered(flow(a.mac, to6(a.v6), nd(c.v6, a.mac)), b), 'an advertisement for another').toBe(false);
  }, 60_000);

  it('let nothing in or out where no rule says so', async () => {
    await apply([]);
    const [a, b] = GUESTS as [Guest, Guest];
    const packet: Packet = { from: a, to: b, version: 4, protocol: 'tcp', port: 80 };
    expect(delivered(expression(packet), b)).toBe(false);
    const loner = GUESTS[4]!;
    await apply(GROUP_IDS.flatMap(opened));
    expect(delivered(expression({ ...packet, to: loner }), loner)).toBe(false);
    expect(delivered(expression({ ...packet, from: loner, to: a }), a)).toBe(false);
    expect(delivered(expression(packet), b)).toBe(true);
  }, 60_000);

  it('need no connection tracking where a group says so', async () => {
    await apply(GROUP_IDS.flatMap(opened), false);
    const [a, b] = GUESTS as [Guest, Guest];
    expect(delivered(expression({ from: a, to: b, version: 4, protocol: 'tcp', port: 80 }), b)).toBe(true);
    const actions = new Set([...client.replica.table('ACL').values()].map((acl) => acl.action));
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
    await apply([]);
    const port = { ...portOf(a), hostname: 'web-1', fixedIps: [{ subnetId: subnet.id, address: a.v4 }] };
    const plan = new NbPlan(new NbReplica(client.replica)).subnet(subnet, {
      network,
      metadataIp: '10.0.0.2',
      defaultDns: [],
    });
    await client.transact(encode(client, plan.port(port, { network, subnets: [subnet] }).operations()));
    ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
    const discover = `inport == "${a.id}" && eth.src == ${a.mac} && eth.dst == ff:ff:ff:ff:ff:ff && ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && ip.ttl == 64 && udp.src == 68 && udp.dst == 67`;
    const trace = ovn.tool('ovn-trace', '--no-friendly-names', `net_${network.id}`, discover);
    expect(trace).toContain('put_dhcp_opts(');
    expect(trace).toContain('hostname = "web-1"');
    expect(trace).toContain(`output to "${a.id}"`);
  }, 60_000);
});
