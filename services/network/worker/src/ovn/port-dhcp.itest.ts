/** Every DHCP option that a port can be told, in OVN's own language: one that OVN could not read would answer nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type DhcpOption,
  eui64,
  NbPlan,
  type Port,
  parsePrefix,
  type Subnet,
  shapeSubnet,
} from '#services/network/domain';
import { encode, NbReplica } from './northbound.js';
import { born, GUESTS, network, portOf, TracedNetwork } from './traced-network.fixture.js';

const about = { networkId: network.id, projectId: 'p', name: '', description: '', ...born };
const four: Subnet = {
  id: '22222222-2222-4222-8222-222222222224',
  ...about,
  ...shapeSubnet({ version: 4, cidr: '10.0.0.0/24' }),
};
const six: Subnet = {
  id: '22222222-2222-4222-8222-222222222226',
  ...about,
  ...shapeSubnet({ version: 6, cidr: 'fd00::/64', addressMode: 'dhcpv6-stateful', raMode: 'dhcpv6-stateful' }),
};
const guest = GUESTS[0]!;
const mac = guest.mac;

let net: TracedNetwork;
beforeAll(async () => {
  net = await TracedNetwork.start();
});
afterAll(() => net.stop());

/** What OVN does with the guest's question, for a port with these options. */
async function asked(dhcpOptions: readonly DhcpOption[], version: 4 | 6): Promise<string> {
  const fixedIps = [
    { subnetId: four.id, address: guest.v4 },
    { subnetId: six.id, address: guest.v6 },
  ];
  const port: Port = { ...portOf(guest), groupIds: [], fixedIps, dhcpOptions };
  const subnets = [four, six];
  const context = { network, metadataIp: null, defaultDns: [] };
  const plan = new NbPlan(new NbReplica(net.client.replica)).guard().network(network);
  for (const subnet of subnets) plan.subnet(subnet, context);
  plan.port(port, { network, subnets }).portDhcp(port, subnets, () => context);
  await net.client.transact(encode(net.client, plan.operations()));
  net.ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
  const question =
    version === 4
      ? 'eth.dst == ff:ff:ff:ff:ff:ff && ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67'
      : `eth.dst == 33:33:00:01:00:02 && ip6.src == ${eui64(parsePrefix('fe80::/64')!, mac)} && ip6.dst == ff02::1:2 && udp.src == 546 && udp.dst == 547`;
  const flow = `inport == "${guest.id}" && eth.src == ${mac} && ip.ttl == 64 && ${question}`;
  return net.ovn.tool('ovn-trace', '--no-friendly-names', `net_${network.id}`, flow);
}

const LONG = ['lease-time', 'T1', 'T2', 'arp-timeout', 'tcp-keepalive'].map((name) => [name, '3600'] as const);
const ADDRESSES = [
  'router',
  'dns-server',
  'log-server',
  'lpr-server',
  'policy-filter',
  'nis-server',
  'ntp-server',
  'tftp-server-address',
].map((name) => [name, '10.0.0.8,10.0.0.9'] as const);
const ADDRESS = ['swap-server', 'router-solicitation', 'server-id', 'server-ip-address'].map(
  (name) => [name, '10.0.0.8'] as const,
);
const TEXTS = ['domain-name', 'bootfile-name', 'bootfile-name-alt', 'path-prefix', 'wpad', 'tftp-server'].map(
  (name) => [name, 'http://my.org/a?b=(c) && d;'] as const,
);
const FLAGS = ['ip-forward-enable', 'router-discovery', 'ethernet-encap'].map((name) => [name, 'true'] as const);
const ROUTES = ['classless-static-route', 'ms-classless-static-route'].map(
  (name) => [name, '10.9.0.0/16,10.0.0.9,0.0.0.0/0,10.0.0.1'] as const,
);
const V4 = [
  ...[...LONG, ...ADDRESSES, ...ADDRESS, ...TEXTS, ...FLAGS, ...ROUTES],
  ['netmask', '255.255.255.0'],
  ['mtu', '1300'],
  ['default-ttl', '64'],
  ['tcp-ttl', '64'],
  ['domain-search', 'my.org,their.org'],
  ['tftp-server', '10.0.0.9'],
] as const;
const V6 = [
  ['dns-server', 'fd00::53,fd00::54'],
  ['domain-search', 'my.org'],
  ['bootfile-name', 'http://[fd00::1]/boot'],
  ['server-id', 'fa:16:3e:00:00:99'],
] as const;

describe('OVN reads what a port is told', () => {
  it.each(V4)('over IPv4: %s=%s', async (name, value) => {
    const answer = await asked([{ name, value, version: 4 }], 4);
    const own = answer.split('\n').find((line) => line.includes('put_dhcp_opts('));
    expect(own, answer).toBeDefined();
    const ours = net.client.replica.table('DHCP_Options').values();
    const row = [...ours].find((known) => known.external_ids.get('yagura:owner') === guest.id);
    const encoded = [...(row?.options ?? [])].map(([key]) => key);
    expect(encoded.length).toBeGreaterThan(3);
    for (const key of encoded.filter((option) => !option.startsWith('server_mac'))) expect(own).toContain(`${key} =`);
  });

  it.each(V6)('over IPv6: %s=%s', async (name, value) => {
    const answer = await asked([{ name, value, version: 6 }], 6);
    const own = answer.split('\n').find((line) => line.includes('put_dhcpv6_opts('));
    expect(own, answer).toBeDefined();
    if (name !== 'server-id') expect(own).toContain(`${name.replace('-', '_')} =`);
  });

  it('and is silent where a port wants none of it', async () => {
    const off = [{ name: 'dhcp_disabled', value: 'true', version: 4 as const }];
    expect(await asked(off, 4)).not.toContain('put_dhcp_opts');
  });
});
