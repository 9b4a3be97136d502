/**
 * What security groups let through, case by case: protocol, direction, remote and state. Each case is a port of its own
 * with nothing but its rules; a friend (a member of the group that rules name) and a stranger try everything on it,
 * and it tries everything on them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from './lab/endpoint.js';
import { Lab } from './lab/lab.js';
import type { Network, Rule } from './lab/resources.js';

type Who = 'friend' | 'stranger';
type Probe = 'tcp4:80' | 'tcp4:81' | 'tcp6:80' | 'tcp6:81' | 'udp4:53' | 'udp6:53' | 'ping4' | 'ping6';

/** What rules may name as their remote end. */
interface Friend {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly group: string;
}

interface Case {
  readonly name: string;
  /** The rules of each of its groups. */
  readonly groups: (friend: Friend) => readonly (readonly Rule[])[];
  readonly stateless?: true;
  /** What the friend and the stranger reach on the port, and the port on them; nothing else. */
  readonly in?: Partial<Record<Who, readonly Probe[]>>;
  readonly out?: Partial<Record<Who, readonly Probe[]>>;
}

const SOCKETS = ['tcp4:80', 'tcp4:81', 'tcp6:80', 'tcp6:81', 'udp4:53', 'udp6:53'] as const;
const ALL_4: readonly Probe[] = ['ping4', 'tcp4:80', 'tcp4:81', 'udp4:53'];
const ALL_6: readonly Probe[] = ['ping6', 'tcp6:80', 'tcp6:81', 'udp6:53'];
const SILENCE_MS = 1_200;

let lab: Lab;
let network: Network;
const others = {} as Record<Who, Endpoint>;

const anything: Rule[] = (['IPv4', 'IPv6'] as const).flatMap((ethertype): Rule[] => [
  { direction: 'ingress', ethertype },
  { direction: 'egress', ethertype },
]);
const ingress = (rule: Partial<Rule>): Rule => ({ direction: 'ingress', ...rule });
const egress = (rule: Partial<Rule>): Rule => ({ direction: 'egress', ...rule });
const ports = (min: number, max = min) => ({ port_range_min: min, port_range_max: max });

const both = (probes: readonly Probe[]) => ({ friend: probes, stranger: probes });

const CASES: readonly Case[] = [
  { name: 'no rule', groups: () => [[]] },
  { name: 'TCP in', groups: () => [[ingress({ protocol: 'tcp' })]], in: both(['tcp4:80', 'tcp4:81']) },
  { name: 'one port of TCP in', groups: () => [[ingress({ protocol: 'tcp', ...ports(80) })]], in: both(['tcp4:80']) },
  {
    name: 'a range of ports in, IPv6',
    groups: () => [[ingress({ protocol: 'tcp', ethertype: 'IPv6', ...ports(79, 81) })]],
    in: both(['tcp6:80', 'tcp6:81']),
  },
  {
    name: 'UDP in from an address',
    groups: ({ ipv4 }) => [[ingress({ protocol: 'udp', remote_ip_prefix: `${ipv4}/32` })]],
    in: { friend: ['udp4:53'] },
  },
  {
    name: 'anything in from an address, IPv6',
    groups: ({ ipv6 }) => [[ingress({ remote_ip_prefix: `${ipv6}/128` })]],
    in: { friend: ALL_6 },
  },
  {
    name: 'anything in from a group',
    groups: ({ group }) => [
      [ingress({ remote_group_id: group }), ingress({ remote_group_id: group, ethertype: 'IPv6' })],
    ],
    in: { friend: [...ALL_4, ...ALL_6] },
  },
  {
    name: 'echo requests in',
    groups: () => [[ingress({ protocol: 'icmp', ...ports(8, 0) })]],
    in: both(['ping4']),
  },
  { name: 'another type of ICMP in', groups: () => [[ingress({ protocol: 'icmp', ...ports(3) })]] },
  {
    name: 'ICMPv6 in',
    groups: () => [[ingress({ protocol: 'ipv6-icmp', ethertype: 'IPv6' })]],
    in: both(['ping6']),
  },
  { name: 'anything out', groups: () => [[egress({})]], out: both(ALL_4) },
  {
    name: 'one port of TCP out to a group',
    groups: ({ group }) => [[egress({ protocol: 'tcp', ...ports(81), remote_group_id: group })]],
    out: { friend: ['tcp4:81'] },
  },
  {
    name: 'UDP out to an address, IPv6',
    groups: ({ ipv6 }) => [[egress({ protocol: 'udp', remote_ip_prefix: `${ipv6}/128` })]],
    out: { friend: ['udp6:53'] },
  },
  {
    name: 'rules of two groups together',
    groups: () => [[ingress({ protocol: 'tcp', ...ports(80) })], [ingress({ protocol: 'udp' })]],
    in: both(['tcp4:80', 'udp4:53']),
  },
  { name: 'stateless TCP in without a way back', groups: () => [[ingress({ protocol: 'tcp' })]], stateless: true },
  {
    name: 'stateless TCP in with a way back',
    groups: () => [[ingress({ protocol: 'tcp', ...ports(80) }), egress({ protocol: 'tcp' })]],
    stateless: true,
    in: both(['tcp4:80']),
  },
];

/** Everything that `from` reaches on each of the targets, in the order of these. */
async function reach(from: Endpoint, targets: readonly Endpoint[]): Promise<Probe[][]> {
  const answered = await from.pings(targets.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]));
  return Promise.all(
    targets.map(async ({ ipv4, ipv6 }) => {
      const tried = SOCKETS.map(async (probe) => {
        const [, protocol, version, port] = /^(tcp|udp)(4|6):(\d+)$/.exec(probe)!;
        const host = version === '4' ? ipv4 : ipv6;
        const { outcome } = await from.connect(protocol as 'tcp' | 'udp', host, Number(port), SILENCE_MS);
        return outcome === 'open' ? [probe] : [];
      });
      const pings: Probe[] = [
        ...(answered.has(ipv4) ? ['ping4' as const] : []),
        ...(answered.has(ipv6) ? ['ping6' as const] : []),
      ];
      return [...pings, ...(await Promise.all(tried)).flat()].sort();
    }),
  );
}

async function serve(endpoint: Endpoint): Promise<Endpoint> {
  await Promise.all([endpoint.listen('tcp', 80), endpoint.listen('tcp', 81), endpoint.listen('udp', 53)]);
  return endpoint;
}

async function subject({ groups, stateless }: Case, friend: Friend): Promise<Endpoint> {
  const made: string[] = [];
  for (const rules of groups(friend)) made.push(await lab.group({ rules, ...(stateless ? { stateful: false } : {}) }));
  return serve(await lab.endpoint({ network, node: 'node-1', groups: made }));
}

const results = new Map<string, { in: Record<Who, Probe[]>; out: Record<Who, Probe[]> }>();

beforeAll(async () => {
  lab = await Lab.open('groups');
  network = await lab.network({ subnets: [{ cidr: '10.71.0.0/24' }, { cidr: 'fd71::/64', enable_dhcp: false }] });
  const friends = await lab.group({ rules: anything });
  const strangers = await lab.group({ rules: anything });
  others.friend = await serve(await lab.endpoint({ network, node: 'node-2', groups: [friends] }));
  others.stranger = await serve(await lab.endpoint({ network, node: 'node-1', groups: [strangers] }));
  const { ipv4, ipv6 } = others.friend;
  const subjects = await Promise.all(CASES.map((one) => subject(one, { ipv4, ipv6, group: friends })));
  const inward = { friend: await reach(others.friend, subjects), stranger: await reach(others.stranger, subjects) };
  const outward = await Promise.all(subjects.map((from) => reach(from, [others.friend, others.stranger])));
  for (const [n, { name }] of CASES.entries()) {
    const [friend = [], stranger = []] = outward[n] ?? [];
    const inTo = { friend: inward.friend[n]!, stranger: inward.stranger[n]! };
    results.set(name, { in: inTo, out: { friend, stranger } });
  }
});

afterAll(() => lab.close());

describe('a port with', () => {
  it.each(CASES)('$name', ({ name, in: inward, out }) => {
    const expected = (side: Case['in']) => ({
      friend: [...(side?.friend ?? [])].sort(),
      stranger: [...(side?.stranger ?? [])].sort(),
    });
    expect(results.get(name)).toEqual({ in: expected(inward), out: expected(out) });
  });
});
