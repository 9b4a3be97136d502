/**
 * Metadata as a guest asks for it. The server is stopped and an endpoint stands in its place, at its port, so that
 * thousands of requests come from where the guest's would; others on the network try to be it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import * as frame from './lab/frames.js';
import { Lab } from './lab/lab.js';
import { frozen, killOnNode } from './lab/node.js';
import type { FetchRequest } from './lab/puppet-requests.js';
import type { Network, Port, Server } from './lab/resources.js';

const V4 = '169.254.169.254';
const V6 = 'fe80::a9fe:a9fe%eth0';
const META = '/openstack/latest/meta_data.json';

let lab: Lab;
let network: Network;
let server: Server;
let node = '';
let guest: Endpoint;
let stranger: Endpoint;
let thief: Endpoint;

const ask = (from: Endpoint, wanted: Partial<FetchRequest> = {}) =>
  from.ask('fetch', { host: V4, path: META, timeoutMs: 2_000, ...wanted });
const silent = (from: Endpoint) =>
  ask(from, { timeoutMs: 1_500 }).then(
    () => false,
    () => true,
  );

/** A way to metadata for one that has not asked DHCP for it. */
const route = (endpoint: Endpoint) => endpoint.must('ip', 'route', 'replace', `${V4}/32`, 'dev', 'eth0');

beforeAll(async () => {
  lab = await Lab.open('metadata');
  network = await lab.network({ subnets: [{ cidr: '10.75.0.0/24' }, { cidr: 'fd75::/64', enable_dhcp: false }] });
  const rules = (['IPv4', 'IPv6'] as const).map((ethertype) => ({ direction: 'egress' as const, ethertype }));
  const groups = [await lab.group({ rules })];
  const port = await lab.make<Port>('ports', 'port', { network_id: network.id, security_groups: groups });
  const user_data = Buffer.from('#!/bin/sh\necho hello\n').toString('base64');
  server = await lab.server({ networks: [{ port: port.id }], metadata: { role: 'front' }, user_data });
  node = server['OS-EXT-SRV-ATTR:host']!;
  await lab.stop(server.id);
  guest = await lab.behind({ network, node }, port);
  await guest.plug('dhcp');
  stranger = await lab.endpoint({ network, node, groups, addressing: 'dhcp' });
  const open = { port_security_enabled: false };
  thief = await lab.endpoint({ network, node, groups: [], port: open, addressing: 'none' });
});

afterAll(() => lab.close());

describe('a guest', () => {
  it('is told who it is, in the trees of OpenStack and EC2', async () => {
    const { status, body } = await ask(guest);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ uuid: server.id, meta: { role: 'front' } });
    const text = async (path: string) => (await ask(guest, { path })).body;
    expect(await text('/latest/meta-data/local-ipv4')).toBe(guest.ipv4);
    expect(await text('/latest/user-data')).toBe('#!/bin/sh\necho hello\n');
    expect(await text('/latest/meta-data/security-groups')).toMatch(/^lab-metadata-/);
    const data = JSON.parse(await text('/openstack/latest/network_data.json'));
    expect(data.links).toMatchObject([{ ethernet_mac_address: guest.mac, mtu: 1442 }]);
    expect(data.networks.map((one: { ip_address: string }) => one.ip_address).sort()).toEqual(
      [guest.ipv4, guest.ipv6].sort(),
    );
  });

  it('is told the same over IPv6', async () => {
    // The kernel gives the link-local address of IPv6 a second to be disputed.
    const heard = () => ask(guest, { host: V6 }).catch(() => undefined);
    const answer = await until('an answer over IPv6', heard, (got) => got !== undefined, 5_000, 200);
    expect(JSON.parse(answer!.body)).toMatchObject({ uuid: server.id });
  });

  it('is answered within 20 ms in 99 of 100 times', async () => {
    // What else the machine does meanwhile is not metadata's doing: one quiet round of three is enough.
    let p99 = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3 && p99 >= 20; round += 1) {
      const { took } = await ask(guest, { times: 1_000 });
      const sorted = [...took].sort((a, b) => a - b);
      p99 = sorted[990]!;
      console.log(
        `metadata: p50 ${sorted[500]!.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${sorted[999]!.toFixed(1)} ms`,
      );
    }
    expect(p99).toBeLessThan(20);
  });
});

describe('nobody else', () => {
  it('is told anything, whatever its headers say', async () => {
    const headers = {
      'X-Instance-ID': server.id,
      'X-Forwarded-For': guest.ipv4,
      'X-Tenant-ID': lab.projectId,
      'X-Instance-ID-Signature': '0'.repeat(64),
    };
    expect((await ask(stranger, { headers })).status).toBe(404);
    expect(JSON.parse((await ask(guest, { headers: { 'X-Instance-ID': 'another' } })).body).uuid).toBe(server.id);
  });

  it('is told what is meant for the guest, though it takes its address and says so by ARP', async () => {
    await thief.take({ address: guest.ipv4, bits: 24, gateway: null });
    await route(thief);
    const claim = (operation: 'request' | 'reply') =>
      frame.arp(
        { from: thief.mac, to: frame.BROADCAST },
        { operation, senderMac: thief.mac, senderIp: guest.ipv4, targetMac: frame.BROADCAST, targetIp: V4 },
      );
    await thief.inject(claim('reply'), claim('request'), claim('reply'));
    expect(await silent(thief)).toBe(true);
    expect((await ask(guest)).status).toBe(200);
  });

  it('keeps the guest from being answered by holding on to the service', async () => {
    const held = await stranger.ask('dawdle', { host: V4, port: 80, count: 300 });
    expect(held).toBeLessThanOrEqual(16);
    expect((await ask(guest)).status).toBe(200);
  });
});

it('answers with the whole control plane down, also when the agent starts anew', async () => {
  await frozen('controller', async () => {
    expect((await ask(guest)).status).toBe(200);
    await killOnNode(node, 'agent');
    const killedAt = Date.now();
    const heard = () => ask(guest).catch(() => ({ status: 0, body: '' }));
    const { body } = await until('an answer', heard, ({ status }) => status === 200, 20_000, 100);
    console.log(`metadata is back ${Date.now() - killedAt} ms after the agent started`);
    expect(JSON.parse(body)).toMatchObject({ uuid: server.id, meta: { role: 'front' } });
  });
});
