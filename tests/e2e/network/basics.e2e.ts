/** What every guest needs before anything else: an address by DHCP, a name server, and its neighbours, near and far. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from './lab/endpoint.js';
import { Lab } from './lab/lab.js';
import type { Network } from './lab/resources.js';

let lab: Lab;
let network: Network;
let near: Endpoint;
let far: Endpoint;

beforeAll(async () => {
  lab = await Lab.open('basics');
  network = await lab.network({
    subnets: [
      {
        cidr: '10.70.0.0/24',
        dns_nameservers: ['9.9.9.9', '149.112.112.112'],
        host_routes: [{ destination: '10.99.0.0/16', nexthop: '10.70.0.254' }],
      },
      { cidr: 'fd70::/64', enable_dhcp: false },
    ],
  });
  [near, far] = await Promise.all([
    lab.endpoint({ network, node: 'node-1', addressing: 'dhcp' }),
    lab.endpoint({ network, node: 'node-2' }),
  ]);
  await near.take(near.fixed.find(({ address }) => address.includes(':'))!);
  await far.listen('tcp', 80, false);
  await far.listen('tcp', 81, true);
  await far.listen('udp', 53);
});

afterAll(() => lab.close());

describe('a DHCP client', () => {
  it('gets its address, the MTU of the tunnels, name servers and routes', () => {
    expect(near.lease).toMatchObject({
      ip: near.ipv4,
      mask: '24',
      mtu: '1442',
      dns: '9.9.9.9 149.112.112.112',
      router: '10.70.0.1',
    });
    expect(near.lease['staticroutes']?.split(' ')).toEqual(
      expect.arrayContaining(['10.99.0.0/16', '10.70.0.254', '0.0.0.0/0', '10.70.0.1', '169.254.169.254/32']),
    );
  });
});

describe('neighbours on two nodes', () => {
  it('answer pings of IPv4 and IPv6', async () => {
    expect(await near.ping(far.ipv4)).toBe(true);
    expect(await far.ping(near.ipv4)).toBe(true);
    expect(await near.ping(far.ipv6)).toBe(true);
  });

  it('pass frames of the full MTU unbroken, and none that is longer', async () => {
    expect(await near.ping(far.ipv4, { size: 1442 - 28, whole: true })).toBe(true);
    expect(await near.ping(far.ipv4, { size: 1442 - 27, whole: true })).toBe(false);
  });

  it('talk over TCP and UDP, IPv4 and IPv6', async () => {
    for (const host of [far.ipv4, far.ipv6])
      for (const [protocol, port] of [
        ['tcp', 80],
        ['udp', 53],
      ] as const)
        expect(await near.connect(protocol, host, port), `${protocol} ${host}`).toMatchObject({ outcome: 'open' });
  });

  it('move bulk data, whose checksums are left to the switch', async () => {
    const { bytes, ms } = await near.ask('pour', { host: far.ipv4, port: 81, ms: 1_000 });
    console.log(`TCP between nodes: ${((bytes * 8) / ms / 1_000).toFixed(0)} Mbit/s`);
    expect(bytes).toBeGreaterThan(1_000_000);
  });
});
