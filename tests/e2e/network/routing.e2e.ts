/**
 * Routers: between subnets and nodes, out of the cloud and in from it. The machine itself is the world outside: it is the
 * gateway of the external network.
 */
import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import { Lab } from './lab/lab.js';
import { frozen, mustOnNode } from './lab/node.js';
import type { External, FloatingIp, Network, Router } from './lab/resources.js';

let lab: Lab;
let outside: External;
let router: Router;
let front: Network;
let back: Network;
/** Two on one subnet, on two nodes; one on the other subnet. */
let near: Endpoint;
let far: Endpoint;
let behind: Endpoint;
let world: Server;

const V6 = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };

/** What the machine gets from there within the time; undefined for silence. */
function fromMachine(host: string, port: number, timeoutMs = 2_000): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (heard?: string) => {
      socket.destroy();
      resolve(heard);
    };
    socket.setTimeout(timeoutMs, () => end());
    socket.once('error', () => end());
    socket.once('connect', () => socket.write('hello'));
    socket.once('data', (data) => end(data.toString()));
  });
}

/** The address from which the endpoint comes to the machine; undefined when it does not come through. */
async function seenAs(endpoint: Endpoint): Promise<string | undefined> {
  const { port } = world.address() as { port: number };
  let source: string | undefined;
  const note = (socket: { remoteAddress?: string }): void => {
    source = socket.remoteAddress;
  };
  world.on('connection', note);
  const { outcome } = await endpoint.connect('tcp', outside.gateway, port, 2_000);
  world.off('connection', note);
  return outcome === 'open' ? source : undefined;
}

beforeAll(async () => {
  lab = await Lab.open('routing');
  outside = await lab.external();
  world = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => world.listen(0, outside.gateway, resolve));
  lab.afterwards(async () => void world.close());
  front = await lab.network({ subnets: [{ cidr: '10.80.0.0/24' }, { cidr: 'fd80::/64', ...V6 }] });
  back = await lab.network({ subnets: [{ cidr: '10.81.0.0/24' }, { cidr: 'fd81::/64', ...V6 }] });
  router = await lab.router([...front.subnets, ...back.subnets], { network_id: outside.networkId });
  const open = [
    await lab.group({
      rules: (['IPv4', 'IPv6'] as const).flatMap((ethertype) => [
        { direction: 'ingress' as const, ethertype },
        { direction: 'egress' as const, ethertype },
      ]),
    }),
  ];
  const dhcp = { groups: open, addressing: 'dhcp' as const };
  [near, far, behind] = (await Promise.all([
    lab.endpoint({ network: front, node: 'node-1', ...dhcp }),
    lab.endpoint({ network: front, node: 'node-2', ...dhcp }),
    lab.endpoint({ network: back, node: 'node-2', ...dhcp }),
  ])) as [Endpoint, Endpoint, Endpoint];
  for (const endpoint of [near, far, behind]) await endpoint.listen('tcp', 80);
});

afterAll(() => lab.close());

describe('between subnets', () => {
  it('routes pings and TCP, on one node and between two', async () => {
    for (const from of [near, far]) {
      expect(await from.ping(behind.ipv4)).toBe(true);
      expect(await from.connect('tcp', behind.ipv4, 80)).toMatchObject({ outcome: 'open' });
      expect(await behind.connect('tcp', from.ipv4, 80)).toMatchObject({ outcome: 'open' });
    }
  });

  it('passes what the MTU allows unbroken', async () => {
    expect(await near.ping(behind.ipv4, { size: front.mtu - 28, whole: true })).toBe(true);
  });

  it('gives addresses of IPv6 by its advertisements, and routes between them', async () => {
    for (const endpoint of [near, behind]) {
      const shown = () => endpoint.must('ip', '-6', '-o', 'addr', 'show', 'dev', 'eth0');
      await until(
        'an address of IPv6',
        shown,
        (text) => text.includes(`${endpoint.ipv6}/64`) && !text.includes('tentative'),
        15_000,
        200,
      );
    }
    expect(await near.ping(behind.ipv6)).toBe(true);
    expect(await near.connect('tcp', behind.ipv6, 80)).toMatchObject({ outcome: 'open' });
  });
});

/** The router's address outside. */
const gateway = () => router.external_gateway_info!.external_fixed_ips[0]!.ip_address;

describe('out of the cloud', () => {
  it('goes with the address of the router', async () => {
    for (const endpoint of [near, far, behind]) expect(await seenAs(endpoint)).toBe(gateway());
    expect(await near.ping(outside.gateway)).toBe(true);
  });

  it('does not go without source NAT, until it is there again', async () => {
    const snat = (enable_snat: boolean) =>
      lab.call(
        'PUT',
        `/routers/${router.id}`,
        { router: { external_gateway_info: { network_id: outside.networkId, enable_snat } } },
        'admin',
      );
    await snat(false);
    await until(
      'the way out to be closed',
      () => seenAs(near),
      (source) => source === undefined,
      10_000,
      100,
    );
    await snat(true);
    await until(
      'the way out to be open',
      () => seenAs(near),
      (source) => source !== undefined,
      10_000,
      100,
    );
  });
});

describe('a floating IP', () => {
  let floating: FloatingIp;

  beforeAll(async () => {
    floating = await lab.floatingIp(outside, near.portId);
  });
  const address = () => floating.floating_ip_address;
  const heard = () => fromMachine(address(), 80, 1_000);

  it('leads from the machine to its port, and becomes ACTIVE', async () => {
    expect(await until('an answer', heard, (text) => text === 'hello', 10_000, 50)).toBe('hello');
    const shown = () => lab.call<FloatingIp>('GET', `/floatingips/${floating.id}`);
    await until('the floating IP to be ACTIVE', shown, ({ status }) => status === 'ACTIVE', 10_000, 50);
  });

  it('is the address with which the port goes out', async () => {
    expect(await seenAs(near)).toBe(address());
    expect(await seenAs(far)).not.toBe(address());
  });

  it('is reached from inside as well, by a neighbour and by one behind the router', async () => {
    const outcomes = await Promise.all([far, behind].map((from) => from.connect('tcp', address(), 80)));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['open', 'open']);
  });

  it('is closed where the rules of its port are', async () => {
    const nothing = await lab.group({ rules: [] });
    const guarded = await lab.endpoint({ network: front, groups: [nothing] });
    const closed = await lab.floatingIp(outside, guarded.portId);
    await guarded.listen('tcp', 80);
    expect(await fromMachine(closed.floating_ip_address, 80)).toBeUndefined();
    await lab.rule(nothing, { direction: 'ingress', protocol: 'tcp', port_range_min: 80, port_range_max: 80 });
    const opened = () => fromMachine(closed.floating_ip_address, 80, 1_000);
    await until('the rule to open it', opened, (text) => text === 'hello', 10_000, 50);
  });

  it('moves to another port, and leaves none behind', async () => {
    await lab.call('PUT', `/floatingips/${floating.id}`, { floatingip: { port_id: behind.portId } });
    const movedAt = Date.now();
    await until(
      'the new port to go out with it',
      () => seenAs(behind),
      (source) => source === address(),
      10_000,
      20,
    );
    await until('an answer', heard, (text) => text === 'hello', 10_000, 20);
    console.log(`a floating IP moved within ${Date.now() - movedAt} ms`);
    expect(await seenAs(near)).not.toBe(address());
    await lab.call('PUT', `/floatingips/${floating.id}`, { floatingip: { port_id: null } });
    await until('silence', heard, (text) => text === undefined, 10_000, 50);
  });
});

describe('when the node of the gateway hangs', () => {
  /** Where OVN has the gateway now. */
  async function gatewayNode(): Promise<string> {
    const [port] = await lab.call<{ id: string }[]>(
      'GET',
      `/ports?device_id=${router.id}&device_owner=network:router_gateway`,
      undefined,
      'admin',
    );
    const find = ['find', 'Port_Binding', `logical_port=cr-lrp-${port!.id}`];
    const chassis = await mustOnNode('controller', 'ovn-sbctl', '--bare', '--columns=chassis', ...find);
    return (await mustOnNode('controller', 'ovn-sbctl', 'get', 'Chassis', chassis.trim(), 'name')).replace(
      /["\s]/g,
      '',
    );
  }

  it('another takes it over, and a floating IP on another node does not wait for that', async () => {
    const hanging = await gatewayNode();
    const survivor = hanging === near.node ? far : near;
    const floating = await lab.floatingIp(outside, survivor.portId);
    await until(
      'an answer',
      () => fromMachine(floating.floating_ip_address, 80, 500),
      (text) => text === 'hello',
      10_000,
      50,
    );
    await frozen(hanging, async () => {
      const from = Date.now();
      expect(await fromMachine(floating.floating_ip_address, 80, 1_000)).toBe('hello');
      await lab.call('PUT', `/floatingips/${floating.id}`, { floatingip: { port_id: null } });
      await until(
        'the way out by another node',
        () => seenAs(survivor),
        (source) => source === gateway(),
        20_000,
        50,
      );
      console.log(`the gateway of ${hanging} was taken over within ${Date.now() - from} ms`);
    });
    await until(
      'the way out after all that',
      () => seenAs(survivor),
      (source) => source === gateway(),
      20_000,
      100,
    );
  });
});

it('does not let the machine into private networks', async () => {
  expect(await fromMachine(near.ipv4, 80)).toBeUndefined();
});

it('leads nowhere when its leg is taken away, and again when it is back', async () => {
  const leg = { subnet_id: back.subnets[0]!.id };
  await lab.call('PUT', `/routers/${router.id}/remove_router_interface`, leg);
  const open = () => near.connect('tcp', behind.ipv4, 80, 500);
  await until('the way to be closed', open, ({ outcome }) => outcome !== 'open', 10_000, 100);
  await lab.call('PUT', `/routers/${router.id}/add_router_interface`, leg);
  // The leg has another MAC than before; a neighbour finds out by itself, in its own time.
  await behind.must('ip', 'neigh', 'flush', 'dev', 'eth0');
  await until('the way to be open', open, ({ outcome }) => outcome === 'open', 10_000, 100);
});
