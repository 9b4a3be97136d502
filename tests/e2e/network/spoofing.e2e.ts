/**
 * A guest that lies: every frame of a corpus is put on its wire byte by byte, and nobody may ever see one of them. An
 * honest frame at the end of each round shows that the way is open and that whatever was to come has come.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import * as frame from './lab/frames.js';
import { Lab } from './lab/lab.js';
import type { Network } from './lab/resources.js';
import type { Tap } from './lab/wire.js';

const STRANGE_MAC = 'fa:16:3e:be:ef:01';
const ALL_NODES_MAC = '33:33:00:00:00:01';

let lab: Lab;
let network: Network;
let everything = '';
let liar: Endpoint;
let victim: Endpoint;
let witness: Endpoint;
let taps: Tap[] = [];

/** What nobody may see: the frame from its type on, whatever is done to its addresses or, on receipt, to its VLAN tag. */
const told = (bytes: Buffer): Buffer => bytes.subarray(bytes.readUInt16BE(12) === 0x8100 ? 16 : 12);
const seen = (bytes: Buffer): boolean => taps.some((tap) => tap.holding(told(bytes)).length > 0);

let round = 0;
/** Sends the frames, then an honest one, and waits for that. */
async function send(from: Endpoint, ...frames: Buffer[]): Promise<void> {
  round += 1;
  const honest = frame.udp(
    { from: from.mac, to: victim.mac },
    { source: from.ipv4, target: victim.ipv4 },
    { from: 4000, to: 4000 },
    `honest ${round} of ${from.portId}`,
  );
  await from.inject(...frames, honest);
  await until('the honest frame', async () => seen(honest), Boolean, 5_000, 20);
}

beforeAll(async () => {
  lab = await Lab.open('spoofing');
  network = await lab.network({ subnets: [{ cidr: '10.72.0.0/24' }, { cidr: 'fd72::/64', enable_dhcp: false }] });
  everything = await lab.group({
    rules: (['IPv4', 'IPv6'] as const).flatMap((ethertype) => [
      { direction: 'ingress' as const, ethertype },
      { direction: 'egress' as const, ethertype },
    ]),
  });
  [liar, victim, witness] = (await Promise.all(
    ['node-1', 'node-2', 'node-1'].map((node) => lab.endpoint({ network, node, groups: [everything] })),
  )) as [Endpoint, Endpoint, Endpoint];
  taps = await Promise.all([victim, witness].map((endpoint) => endpoint.tap()));
});

afterAll(() => lab.close());

type Lie = readonly [name: string, make: () => Buffer];

const link = (from = liar.mac, to = victim.mac): frame.Ether => ({ from, to });
const own4 = () => ({ source: liar.ipv4, target: victim.ipv4 });
const own6 = () => ({ source: liar.ipv6, target: victim.ipv6 });
const from4 = (source: string) => ({ source, target: victim.ipv4 });
const from6 = (source: string) => ({ source, target: victim.ipv6 });
const PORTS = { from: 5000, to: 5000 };

/** The body of an advertisement behind an extension header, where a shallow filter does not look. */
function hiddenAdvertisement(header: number, extension: readonly number[]): Buffer {
  const plain = frame.routerAdvertisement(link(liar.mac, ALL_NODES_MAC), frame.linkLocal(liar.mac), 'fdbb::');
  const body = Buffer.concat([Buffer.from(extension), plain.subarray(54)]);
  const header6 = { source: frame.linkLocal(liar.mac), target: 'ff02::1', ttl: 255 };
  return frame.ip(link(liar.mac, ALL_NODES_MAC), header6, header, body);
}

const LIES: readonly Lie[] = [
  ['another MAC', () => frame.udp(link(STRANGE_MAC), own4(), PORTS, 'a MAC of my own')],
  ['the MAC of a neighbour', () => frame.udp(link(witness.mac), own4(), PORTS, 'the MAC of a neighbour')],
  ['the IPv4 address of a neighbour', () => frame.udp(link(), from4(witness.ipv4), PORTS, 'I am the witness')],
  ['an IPv4 address of nobody', () => frame.udp(link(), from4('10.72.0.222'), PORTS, 'I am nobody')],
  ['an IPv4 address from far away', () => frame.udp(link(), from4('198.51.100.7'), PORTS, 'I am far away')],
  ['no IPv4 address at all', () => frame.udp(link(), from4('0.0.0.0'), PORTS, 'I have none')],
  ['the IPv6 address of a neighbour', () => frame.udp(link(), from6(witness.ipv6), PORTS, 'six: I am the witness')],
  ['an IPv6 address of nobody', () => frame.udp(link(), from6('fd72::dead'), PORTS, 'six: I am nobody')],
  [
    'the link-local address of a neighbour',
    () => frame.ping(link(), from6(frame.linkLocal(witness.mac)), 'link-local'),
  ],
  [
    'a first fragment from a neighbour',
    () =>
      frame.ip(
        link(),
        { ...from4(witness.ipv4), more: true },
        17,
        frame.udpDatagram(own4(), PORTS, 'first fragment..'),
      ),
  ],
  [
    'a later fragment from a neighbour',
    () => frame.ip(link(), { ...from4(witness.ipv4), offset: 3 }, 17, Buffer.from('a later fragment')),
  ],
  [
    'a reply that a neighbour is here (ARP)',
    () =>
      frame.arp(link(), {
        operation: 'reply',
        senderMac: liar.mac,
        senderIp: witness.ipv4,
        targetMac: victim.mac,
        targetIp: victim.ipv4,
      }),
  ],
  [
    'news that the gateway is here (ARP)',
    () =>
      frame.arp(link(liar.mac, frame.BROADCAST), {
        operation: 'request',
        senderMac: liar.mac,
        senderIp: '10.72.0.1',
        targetIp: '10.72.0.1',
      }),
  ],
  [
    'a reply with another MAC inside (ARP)',
    () =>
      frame.arp(link(), {
        operation: 'reply',
        senderMac: STRANGE_MAC,
        senderIp: liar.ipv4,
        targetMac: victim.mac,
        targetIp: victim.ipv4,
      }),
  ],
  ['an offer of DHCP', () => frame.dhcpOffer(link(liar.mac, frame.BROADCAST), liar.ipv4, '10.72.0.66', victim.mac)],
  ['an advertisement of DHCPv6', () => frame.udp(link(), own6(), { from: 547, to: 546 }, 'DHCPv6 from a guest')],
  [
    'a router advertisement',
    () => frame.routerAdvertisement(link(liar.mac, ALL_NODES_MAC), frame.linkLocal(liar.mac), 'fdaa::'),
  ],
  [
    'a router advertisement to one neighbour',
    () => frame.routerAdvertisement(link(), frame.linkLocal(liar.mac), 'fdac::'),
  ],
  ['a router advertisement behind hop-by-hop options', () => hiddenAdvertisement(0, [58, 0, 1, 4, 0, 0, 0, 0])],
  ['a router advertisement behind destination options', () => hiddenAdvertisement(60, [58, 0, 1, 4, 0, 0, 0, 0])],
  [
    'the address of a neighbour advertised (NA)',
    () =>
      frame.neighbourAdvertisement(link(liar.mac, ALL_NODES_MAC), frame.linkLocal(liar.mac), witness.ipv6, liar.mac),
  ],
  [
    'an address with another MAC advertised (NA)',
    () => frame.neighbourAdvertisement(link(liar.mac, ALL_NODES_MAC), liar.ipv6, liar.ipv6, STRANGE_MAC),
  ],
  [
    'a VLAN tag around it',
    () =>
      frame.ether(
        link(),
        0x8100,
        Buffer.concat([Buffer.from([0, 100]), frame.udp(link(), own4(), PORTS, 'tagged').subarray(12)]),
      ),
  ],
  [
    'neither IP nor ARP (LLDP)',
    () =>
      frame.ether(
        link(liar.mac, '01:80:c2:00:00:0e'),
        0x88cc,
        Buffer.from('lldp from a guest that is no switch......'),
      ),
  ],
];

describe('nobody sees', () => {
  it.each(LIES)('%s', async (_name, make) => {
    const lie = make();
    await send(liar, lie);
    expect(seen(lie)).toBe(false);
  });
});

it('lets through what is true: ARP, neighbour discovery and fragments of its own', async () => {
  const truths = [
    frame.arp(link(), {
      operation: 'reply',
      senderMac: liar.mac,
      senderIp: liar.ipv4,
      targetMac: victim.mac,
      targetIp: victim.ipv4,
    }),
    frame.neighbourAdvertisement(link(liar.mac, ALL_NODES_MAC), liar.ipv6, liar.ipv6, liar.mac),
    frame.ping(link(), own6(), 'a ping of my own'),
  ];
  await send(liar, ...truths);
  expect(truths.map(seen)).toEqual([true, true, true]);
  expect(await liar.ping(victim.ipv4, { size: 4_000 })).toBe(true);
});

it('opens by allowed address pairs what they name and nothing else', async () => {
  const pairs = [
    { ip_address: '10.72.0.200' },
    { ip_address: '10.72.0.201', mac_address: STRANGE_MAC },
    { ip_address: '172.20.0.0/16' },
  ];
  const router = await lab.endpoint({ network, groups: [everything], port: { allowed_address_pairs: pairs } });
  const say = (mac: string, source: string) => frame.udp(link(mac), from4(source), PORTS, `${mac} ${source}`);
  const open = [
    say(router.mac, '10.72.0.200'),
    say(STRANGE_MAC, '10.72.0.201'),
    say(router.mac, '172.20.3.4'),
    frame.arp(link(router.mac), {
      operation: 'reply',
      senderMac: router.mac,
      senderIp: '10.72.0.200',
      targetIp: victim.ipv4,
    }),
  ];
  const closed = [
    say(STRANGE_MAC, '10.72.0.200'),
    say(router.mac, '10.72.0.201'),
    say(router.mac, '10.72.0.202'),
    say(STRANGE_MAC, router.ipv4),
    say(router.mac, '172.21.0.1'),
    frame.arp(link(router.mac), {
      operation: 'reply',
      senderMac: router.mac,
      senderIp: '10.72.0.202',
      targetIp: victim.ipv4,
    }),
    frame.neighbourAdvertisement(
      link(STRANGE_MAC, ALL_NODES_MAC),
      frame.linkLocal(STRANGE_MAC),
      witness.ipv6,
      STRANGE_MAC,
    ),
  ];
  await send(router, ...open, ...closed);
  expect(open.map(seen)).toEqual(open.map(() => true));
  expect(closed.map(seen)).toEqual(closed.map(() => false));
});

it('lets nobody without an address of IPv4 answer ARP for those who have one', async () => {
  const port = {
    fixed_ips: [{ subnet_id: network.subnets[1]!.id }],
    allowed_address_pairs: [{ ip_address: 'fd72::77', mac_address: STRANGE_MAC }],
  };
  const six = await lab.endpoint({ network, groups: [everything], port });
  const lies = [six.mac, STRANGE_MAC].map((senderMac) =>
    frame.arp(link(senderMac, frame.BROADCAST), {
      operation: 'reply',
      senderMac,
      senderIp: witness.ipv4,
      targetMac: victim.mac,
      targetIp: victim.ipv4,
    }),
  );
  const honest = frame.ping(link(six.mac), { source: six.ipv6, target: victim.ipv6 }, 'an honest ping of six');
  const linkLocal = frame.ping(
    link(six.mac),
    { source: frame.linkLocal(six.mac), target: frame.linkLocal(victim.mac) },
    'link-local of its own',
  );
  await six.inject(...lies, linkLocal, honest);
  await until('the honest frame', async () => seen(honest), Boolean, 5_000, 20);
  expect(lies.map(seen)).toEqual([false, false]);
  expect(seen(linkLocal)).toBe(true);
});

it('lets a port without port security say what it likes', async () => {
  const free = await lab.endpoint({ network, groups: [], port: { port_security_enabled: false } });
  const words = frame.udp(link(STRANGE_MAC), from4('10.72.0.223'), PORTS, 'I may say anything');
  await send(free, words);
  expect(seen(words)).toBe(true);
});
