/**
 * Out of the cloud by IPv6, where nothing is translated: a prefix of the tenant's own, routed by its router, to a machine
 * that knows the way back. The external network has no IPv6 by itself, so the test brings it, and takes it away.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../runner/command.js';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import { Lab } from './lab/lab.js';
import { Puppeteer } from './lab/puppeteer.js';
import type { External, Network, Router } from './lab/resources.js';

const INSIDE = 'fd83::/64';
const OUTSIDE = 'fd84::/64';
const MACHINE = 'fd84::1';
const V6 = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
const PORT = 18_184;

let lab: Lab;
let outside: External;
let router: Router;
let inside: Network;
let near: Endpoint;
let far: Endpoint;
let world: Puppeteer;
/** A group that lets nobody in. */
let closed: string;

async function ip(...words: string[]): Promise<string> {
  const { code, output } = await run('ip', words, { timeoutMs: 10_000, quiet: true });
  if (code !== 0) throw new Error(`ip ${words.join(' ')}: ${output}`);
  return output;
}

const addressOutside = (): string =>
  router.external_gateway_info!.external_fixed_ips.map((fixed) => fixed.ip_address).find((it) => it.includes(':'))!;

beforeAll(async () => {
  lab = await Lab.open('routing-v6');
  outside = await lab.external();
  const bridge = /^\d+: (\S+)/.exec(await ip('-o', '-4', 'addr', 'show', 'to', outside.gateway))![1]!;
  // The address is nobody else's, so it need not wait to be sure of that.
  await ip('-6', 'addr', 'replace', `${MACHINE}/64`, 'dev', bridge, 'nodad');
  lab.afterwards(async () => void (await ip('-6', 'addr', 'del', `${MACHINE}/64`, 'dev', bridge)));
  const subnet = {
    network_id: outside.networkId,
    ip_version: 6,
    cidr: OUTSIDE,
    gateway_ip: MACHINE,
    enable_dhcp: false,
  };
  await lab.make('subnets', 'subnet', subnet, 'admin');
  inside = await lab.network({ subnets: [{ cidr: '10.83.0.0/24' }, { cidr: INSIDE, ...V6 }] });
  router = await lab.router(inside.subnets, { network_id: outside.networkId });
  await ip('-6', 'route', 'replace', INSIDE, 'via', addressOutside(), 'dev', bridge);
  lab.afterwards(async () => void (await ip('-6', 'route', 'del', INSIDE)));
  const open = await lab.group({
    rules: (['ingress', 'egress'] as const).map((direction) => ({ direction, ethertype: 'IPv6' as const })),
  });
  closed = await lab.group({ rules: [{ direction: 'egress', ethertype: 'IPv6' }] });
  const own = { network: inside, groups: [open], addressing: 'dhcp' as const };
  [near, far] = await Promise.all([lab.endpoint({ ...own, node: 'node-1' }), lab.endpoint({ ...own, node: 'node-2' })]);
  for (const endpoint of [near, far]) {
    const shown = () => endpoint.must('ip', '-6', '-o', 'addr', 'show', 'dev', 'eth0');
    const has = (text: string) => text.includes(`${endpoint.ipv6}/64`) && !text.includes('tentative');
    await until('an address of IPv6', shown, has, 20_000, 200);
    await endpoint.listen('tcp', 80);
  }
  world = Puppeteer.onMachine();
  lab.afterwards(() => world.end());
  await world.ask('listen', { protocol: 'tcp', port: PORT });
});

afterAll(() => lab.close());

it('leads out and back from every node, each guest under its own address', async () => {
  expect(router.external_gateway_info!.external_fixed_ips).toHaveLength(2);
  for (const endpoint of [near, far]) {
    await until(
      'a ping to come back',
      () => endpoint.ping(MACHINE),
      (back) => back,
      20_000,
      200,
    );
    expect(await endpoint.connect('tcp', MACHINE, PORT)).toMatchObject({ outcome: 'open' });
  }
});

it('leads in to guests, as far as the rules of their ports go', async () => {
  for (const endpoint of [near, far])
    expect(
      await world.ask('connect', { protocol: 'tcp', host: endpoint.ipv6, port: 80, timeoutMs: 3_000 }),
    ).toMatchObject({
      outcome: 'open',
    });
  await lab.call('PUT', `/ports/${near.portId}`, { port: { security_groups: [closed] } });
  const knock = () => world.ask('connect', { protocol: 'tcp', host: near.ipv6, port: 80, timeoutMs: 1_000 });
  await until('the port to be closed', knock, ({ outcome }) => outcome !== 'open', 15_000, 100);
  expect(await near.connect('tcp', MACHINE, PORT)).toMatchObject({ outcome: 'open' });
});

it('stays while the router translates nothing of IPv4 either', async () => {
  const info = { external_gateway_info: { network_id: outside.networkId, enable_snat: false } };
  await lab.call('PUT', `/routers/${router.id}`, { router: info }, 'admin');
  expect(await far.connect('tcp', MACHINE, PORT)).toMatchObject({ outcome: 'open' });
});
