/**
 * What the network is made of is killed, or loses everything, while datagrams flow between two nodes and a port is made.
 * The flow shows what a tenant notices; the new port, that everything works again; the auditor, that nothing stays.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findings, until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import * as frame from './lab/frames.js';
import { Lab } from './lab/lab.js';
import { killOnNode, scriptOnNode } from './lab/node.js';
import type { Network } from './lab/resources.js';

const EVERY_MS = 10;
/** Nothing of theirs carries packets: a hiccup of the machine, no more. */
const UNNOTICED_MS = 500;
const BACK_WITHIN_MS = 15_000;

let lab: Lab;
let network: Network;
let group = '';
let near: Endpoint;
let far: Endpoint;

/** Whether the far end answers from a port of its own that is made now, on the first node. */
async function newPortWorks(): Promise<void> {
  const made = await until(
    'a new port to be made',
    () => lab.endpoint({ network, groups: [group] }).catch(() => undefined),
    (endpoint) => endpoint !== undefined,
    BACK_WITHIN_MS,
    200,
  );
  const answers = () => made!.connect('udp', far.ipv4, 53, 500);
  await until('the new port to be answered', answers, ({ outcome }) => outcome === 'open', BACK_WITHIN_MS, 100);
  await lab.unplug(made!);
}

/** Does it to the network while datagrams flow and a port is made. Returns the longest silence. */
async function silenceDuring(what: string, harm: () => Promise<unknown>): Promise<number> {
  await near.ask('flow', { name: 'flow', host: far.ipv4, port: 53, everyMs: EVERY_MS });
  await harm();
  await newPortWorks();
  const { sent, received, longestGapMs } = await near.ask('endFlow', { name: 'flow' });
  console.log(`${what}: ${sent - received} of ${sent} datagrams lost, longest silence ${longestGapMs} ms`);
  return longestGapMs;
}

beforeAll(async () => {
  lab = await Lab.open('resilience');
  network = await lab.network({ subnets: [{ cidr: '10.76.0.0/24' }, { cidr: 'fd76::/64', enable_dhcp: false }] });
  group = await lab.group({
    rules: (['IPv4', 'IPv6'] as const).flatMap((ethertype) => [
      { direction: 'ingress' as const, ethertype },
      { direction: 'egress' as const, ethertype },
    ]),
  });
  [near, far] = (await Promise.all(
    ['node-1', 'node-2'].map((node) => lab.endpoint({ network, node, groups: [group] })),
  )) as [Endpoint, Endpoint];
  await far.listen('udp', 53);
});

afterAll(() => lab.close());

it.each(['network', 'ovn-nb', 'ovn-sb', 'ovn-northd'])('goes on while %s dies', async (process) => {
  expect(await silenceDuring(process, () => killOnNode('controller', process))).toBeLessThan(UNNOTICED_MS);
});

it.each(['agent', 'ovsdb', 'ovn-controller'])('goes on while the %s of a node dies', async (process) => {
  expect(await silenceDuring(process, () => killOnNode('node-1', process))).toBeLessThan(2_000);
});

it('goes on soon after the switch of a node died', async () => {
  expect(await silenceDuring('ovs-vswitchd', () => killOnNode('node-1', 'ovs-vswitchd'))).toBeLessThan(BACK_WITHIN_MS);
});

it('keeps guests from playing routers after all that', async () => {
  const tap = await far.tap();
  const advertisement = frame.routerAdvertisement(
    { from: near.mac, to: '33:33:00:00:00:01' },
    frame.linkLocal(near.mac),
    'fdaa::',
  );
  const honest = frame.udp(
    { from: near.mac, to: far.mac },
    { source: near.ipv4, target: far.ipv4 },
    { from: 7000, to: 7000 },
    'after all',
  );
  await near.inject(advertisement, honest);
  await until(
    'the honest frame',
    async () => tap.holding('after all').length,
    (count) => count === 1,
    5_000,
    20,
  );
  expect(tap.holding(advertisement.subarray(12))).toEqual([]);
});

it('is whole again after the northbound database was lost, with nothing started anew but that', async () => {
  const wipe = `s6-svc -wD -d /run/sv/ovn-nb; rm -f /var/lib/ovn/ovnnb_db.db; s6-svc -u /run/sv/ovn-nb`;
  const silence = await silenceDuring('the northbound database lost', () => scriptOnNode('controller', wipe));
  expect(silence).toBeLessThan(BACK_WITHIN_MS);
});

it('leaves nothing behind', async () => {
  await lab.close();
  await until('the auditor to be satisfied', findings, (found) => found.length === 0, 30_000, 1_000);
});
