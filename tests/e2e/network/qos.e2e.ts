/** Limits and marks of QoS policies, as packets feel them on two nodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delay } from '#libs/kernel';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import { Lab } from './lab/lab.js';
import { Puppeteer } from './lab/puppeteer.js';
import type { External, FloatingIp, Network } from './lab/resources.js';
import type { Tap } from './lab/wire.js';

const SINK = 81;
/** On the machine itself. */
const WORLD_SINK = 18_181;
/** Until a change of the API is a meter on the node. */
const SETTLE_MS = 1_000;
const POUR_MS = 4_000;
/** Enough to see that nothing limits it. */
const FREE_MS = 1_500;

let lab: Lab;
let network: Network;
let near: Endpoint;
let far: Endpoint;

interface Made {
  readonly id: string;
}
interface Limit {
  readonly max_kbps: number;
  readonly max_burst_kbps?: number;
  readonly direction?: 'ingress' | 'egress';
}

beforeAll(async () => {
  lab = await Lab.open('qos');
  network = await lab.network({ subnets: [{ cidr: '10.71.0.0/24' }, { cidr: 'fd71::/64', enable_dhcp: false }] });
  [near, far] = await Promise.all([
    lab.endpoint({ network, node: 'node-1' }),
    lab.endpoint({ network, node: 'node-2' }),
  ]);
  for (const endpoint of [near, far]) await endpoint.listen('tcp', SINK, true);
});

afterAll(() => lab.close());

async function makePolicy(): Promise<Made> {
  const policy = await lab.make<Made>('qos/policies', 'policy', { shared: true }, 'admin');
  lab.afterwards(async () => {
    await lab.call('PUT', `/ports/${near.portId}`, { port: { qos_policy_id: null } });
    await lab.call('PUT', `/networks/${network.id}`, { network: { qos_policy_id: null } });
  });
  return policy;
}
const addLimit = ({ id }: Made, limit: Limit): Promise<Made> =>
  lab.call<Made>('POST', `/qos/policies/${id}/bandwidth_limit_rules`, { bandwidth_limit_rule: limit }, 'admin');

/** Attaches the policy, or none, to something of the tenant's. */
async function attach(one: 'port' | 'network', id: string, policy: Made | null): Promise<void> {
  await lab.call('PUT', `/${one}s/${id}`, { [one]: { qos_policy_id: policy?.id ?? null } });
  await delay(SETTLE_MS);
}

/** What one TCP connection brings across, in kbit/s. */
async function rate(from: Pick<Endpoint, 'ask'>, host: string, port: number, pourMs = POUR_MS): Promise<number> {
  const { bytes, ms } = await from.ask('pour', { host, port, ms: pourMs });
  return Math.round((bytes * 8) / ms);
}
/** The same between two guests. */
const kbps = (from: Endpoint, to: Endpoint, pourMs = POUR_MS): Promise<number> => rate(from, to.ipv4, SINK, pourMs);

function expectAbout(measured: number, wanted: number, what: string): void {
  console.log(`${what}: ${measured} kbit/s where ${wanted} are allowed`);
  expect(measured, what).toBeGreaterThan(wanted * 0.6);
  expect(measured, what).toBeLessThan(wanted * 1.4);
}

describe('a bandwidth limit', () => {
  it('holds what a guest sends, and nothing else', async () => {
    const policy = await makePolicy();
    const rule = await addLimit(policy, { max_kbps: 10_000 });
    await attach('port', near.portId, policy);
    expectAbout(await kbps(near, far), 10_000, 'sent');
    expect(await kbps(far, near, FREE_MS), 'received').toBeGreaterThan(40_000);
    const raised = { bandwidth_limit_rule: { max_kbps: 20_000 } };
    await lab.call('PUT', `/qos/policies/${policy.id}/bandwidth_limit_rules/${rule.id}`, raised, 'admin');
    await delay(SETTLE_MS);
    expectAbout(await kbps(near, far), 20_000, 'sent after the limit was raised');
    await attach('port', near.portId, null);
    expect(await kbps(near, far, FREE_MS), 'sent without a limit').toBeGreaterThan(40_000);
  });

  it('holds what a guest receives, and nothing else', async () => {
    const policy = await makePolicy();
    await addLimit(policy, { max_kbps: 10_000, max_burst_kbps: 8_000, direction: 'ingress' });
    await attach('port', near.portId, policy);
    expectAbout(await kbps(far, near), 10_000, 'received');
    expect(await kbps(near, far, FREE_MS), 'sent').toBeGreaterThan(40_000);
    await attach('port', near.portId, null);
  });

  it('is the network’s where a port has none of its own', async () => {
    const [wide, narrow] = [await makePolicy(), await makePolicy()];
    await addLimit(wide, { max_kbps: 15_000 });
    await addLimit(narrow, { max_kbps: 5_000 });
    await attach('network', network.id, wide);
    expectAbout(await kbps(near, far), 15_000, 'sent under the network’s policy');
    await attach('port', near.portId, narrow);
    expectAbout(await kbps(near, far), 5_000, 'sent under the port’s policy');
    await attach('port', near.portId, null);
    await attach('network', network.id, null);
  });

  it('is not made tight by a burst that holds no segment', async () => {
    const policy = await makePolicy();
    await addLimit(policy, { max_kbps: 1_000, max_burst_kbps: 10 });
    await attach('port', near.portId, policy);
    expectAbout(await kbps(near, far), 1_000, 'sent with a tiny burst');
    await attach('port', near.portId, null);
  });
});

describe('a DSCP mark', () => {
  /** The marks of frames that carry the text. */
  const marks = (tap: Tap, text: string): number[] =>
    tap.holding(text).map((frame) => {
      const six = frame.readUInt16BE(12) === 0x86dd;
      return (six ? (frame.readUInt16BE(14) >> 4) & 0xff : frame[15]!) >> 2;
    });
  const say = async (from: Endpoint, host: string, text: string): Promise<void> => {
    const six = host.includes(':');
    const pattern = Buffer.from(text).toString('hex');
    await from.must('ping', six ? '-6' : '-4', '-n', '-c', '2', '-i', '0.2', '-p', pattern, host);
  };
  /** The same for what was said just now: a tap tells of frames a moment after they have passed. */
  const heard = async (tap: Tap, text: string): Promise<Set<number>> =>
    new Set(
      await until(
        `frames with ${text} to be told`,
        async () => marks(tap, text),
        (all) => all.length >= 2,
        20_000,
        50,
      ),
    );
  /** Until the node does what the API says, which takes it a moment; each attempt has a text of its own. */
  const inForce = async (tap: Tap, mark: number): Promise<void> => {
    let attempt = 0;
    const probe = async (): Promise<Set<number>> => {
      const text = `probe${attempt++}`;
      await say(near, far.ipv4, text);
      return heard(tap, text);
    };
    await until(`mark ${mark}`, probe, (all) => all.size === 1 && all.has(mark), 30_000, 100);
  };

  it('is on what a guest sends, whatever the guest says, and on nothing that it receives', async () => {
    const [out, back] = [await far.tap(), await near.tap()];
    await say(near, far.ipv4, 'plain4');
    expect(await heard(out, 'plain4')).toEqual(new Set([0]));
    const policy = await makePolicy();
    await lab.call(
      'POST',
      `/qos/policies/${policy.id}/dscp_marking_rules`,
      { dscp_marking_rule: { dscp_mark: 26 } },
      'admin',
    );
    await attach('port', near.portId, policy);
    await inForce(out, 26);
    await say(near, far.ipv4, 'marked4');
    await say(near, far.ipv6, 'marked6');
    expect(await heard(out, 'marked4')).toEqual(new Set([26]));
    expect(await heard(out, 'marked6')).toEqual(new Set([26]));
    await say(far, near.ipv4, 'asked4');
    expect(await heard(back, 'asked4')).toEqual(new Set([0]));
  });
});

describe('a limit of a floating IP or a gateway', () => {
  let outside: External;
  let world: Puppeteer;

  beforeAll(async () => {
    outside = await lab.external();
    world = Puppeteer.onMachine();
    lab.afterwards(() => world.end());
    await world.ask('listen', { protocol: 'tcp', port: WORLD_SINK, sink: true });
  });

  /** A guest with a floating IP behind a router of its own. */
  async function guest(distributed: boolean, cidr: string): Promise<{ inside: Endpoint; floating: FloatingIp }> {
    const own = await lab.network({ subnets: [{ cidr }] });
    const open = await lab.group({ rules: [{ direction: 'egress' }, { direction: 'ingress', protocol: 'tcp' }] });
    const gateway = { network_id: outside.networkId };
    const router = await lab.router(own.subnets, gateway, { distributed });
    const inside = await lab.endpoint({ network: own, node: 'node-1', groups: [open] });
    await inside.listen('tcp', SINK, true);
    const floating = await lab.floatingIp(outside, inside.portId);
    const state = async () => (await lab.call<FloatingIp>('GET', `/floatingips/${floating.id}`)).status;
    await until(`a floating IP of ${router.id} to be ACTIVE`, state, (now) => now === 'ACTIVE', 20_000, 50);
    return { inside, floating };
  }

  it.each([
    ['node', true, '10.74.0.0/24'],
    ['gateway', false, '10.75.0.0/24'],
  ] as const)('holds what goes through it on its %s, both ways', async (_where, distributed, cidr) => {
    const { inside, floating } = await guest(distributed, cidr);
    const policy = await makePolicy();
    await addLimit(policy, { max_kbps: 8_000 });
    await addLimit(policy, { max_kbps: 12_000, direction: 'ingress' });
    const set = async (qos_policy_id: string | null): Promise<void> => {
      await lab.call('PUT', `/floatingips/${floating.id}`, { floatingip: { qos_policy_id } });
      await delay(SETTLE_MS);
    };
    await set(policy.id);
    lab.afterwards(() => set(null));
    expectAbout(await rate(inside, outside.gateway, WORLD_SINK), 8_000, 'sent out');
    expectAbout(await rate(world, floating.floating_ip_address, SINK), 12_000, 'received from outside');
    await set(null);
    expect(await rate(inside, outside.gateway, WORLD_SINK, FREE_MS), 'sent out without a limit').toBeGreaterThan(
      25_000,
    );
  });

  it('leaves the rest of what its router carries to the limit of the gateway', async () => {
    const own = await lab.network({ subnets: [{ cidr: '10.76.0.0/24' }] });
    const policy = await makePolicy();
    await addLimit(policy, { max_kbps: 9_000 });
    const gateway = { network_id: outside.networkId };
    const router = await lab.router(own.subnets, { ...gateway, qos_policy_id: policy.id });
    const inside = await lab.endpoint({ network: own, node: 'node-1' });
    const up = async () => (await lab.call<{ status: string }>('GET', `/routers/${router.id}`)).status;
    await until(`router ${router.id} to be ACTIVE`, up, (now) => now === 'ACTIVE', 20_000, 50);
    await delay(SETTLE_MS);
    expectAbout(await rate(inside, outside.gateway, WORLD_SINK), 9_000, 'sent out through the gateway');
    const free = { router: { external_gateway_info: { ...gateway, qos_policy_id: null } } };
    await lab.call('PUT', `/routers/${router.id}`, free);
    await delay(SETTLE_MS);
    expect(await rate(inside, outside.gateway, WORLD_SINK, FREE_MS), 'sent out without a limit').toBeGreaterThan(
      25_000,
    );
  });
});
