/** A port that carries others as VLANs: each subport is on its own network, with its own addresses and its own rules. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoint } from './lab/endpoint.js';
import * as frame from './lab/frames.js';
import { Lab } from './lab/lab.js';
import type { Network } from './lab/resources.js';

const PARENT = 'untagged';
const VLANS = [100, 200] as const;

let lab: Lab;
let open: string[];
const networks = new Map<string | number, Network>();
/** Ends at the trunk, and their peers on another node. */
const inner = new Map<string | number, Endpoint>();
const peers = new Map<string | number, Endpoint>();
let trunk = '';

beforeAll(async () => {
  lab = await Lab.open('trunks');
  open = [await lab.group({ rules: [{ direction: 'ingress' }, { direction: 'egress' }] })];
  for (const [n, key] of [PARENT, ...VLANS].entries()) {
    const network = await lab.network({ subnets: [{ cidr: `10.77.${n}.0/24` }] });
    networks.set(key, network);
    peers.set(key, await lab.endpoint({ network, node: 'node-2', groups: open }));
  }
  const parent = await lab.endpoint({ network: networks.get(PARENT)!, groups: open });
  await parent.carry();
  inner.set(PARENT, parent);
  for (const vlan of VLANS) {
    const request = {
      network: networks.get(vlan)!,
      groups: open,
      port: { 'binding:host_id': '', device_owner: '', device_id: '' },
    };
    inner.set(vlan, await lab.prepare(request));
  }
  const sub_ports = VLANS.map((segmentation_id) => ({
    port_id: inner.get(segmentation_id)!.portId,
    segmentation_type: 'vlan',
    segmentation_id,
  }));
  trunk = (await lab.make<{ id: string }>('trunks', 'trunk', { port_id: parent.portId, sub_ports })).id;
  for (const vlan of VLANS) {
    await inner.get(vlan)!.plugBehind(parent, vlan);
    await lab.active(inner.get(vlan)!.portId);
  }
});

afterAll(() => lab.close());

const KEYS = [PARENT, ...VLANS];
const hosts = (ends: ReadonlyMap<string | number, Endpoint>) => KEYS.map((key) => ends.get(key)!.ipv4);

/** Those of the addresses that answer, though the way to all of them is open as far as the one that asks knows. */
async function reached(from: Endpoint, addresses: readonly string[]): Promise<string[]> {
  for (const address of addresses) await from.must('ip', 'route', 'replace', `${address}/32`, 'dev', 'eth0');
  return [...(await from.pings(addresses))];
}

it('reaches the network of each port at its tag, and no other', async () => {
  const outward = await Promise.all(KEYS.map((key) => reached(inner.get(key)!, hosts(peers))));
  const inward = await Promise.all(KEYS.map((key) => reached(peers.get(key)!, hosts(inner))));
  expect(outward).toEqual(hosts(peers).map((address) => [address]));
  expect(inward).toEqual(hosts(inner).map((address) => [address]));
});

it('moves TCP both ways', async () => {
  for (const [key, endpoint] of inner) {
    await peers.get(key)!.listen('tcp', 80);
    expect(await endpoint.connect('tcp', peers.get(key)!.ipv4, 80), String(key)).toMatchObject({ outcome: 'open' });
  }
});

it('lets a subport lie no more than another port', async () => {
  const [liar, peer] = [inner.get(100)!, peers.get(100)!];
  const tap = await peer.tap();
  const link = { from: liar.mac, to: peer.mac };
  const ports = { from: 5000, to: 5000 };
  await liar.inject(
    frame.udp(link, { source: '10.77.1.222', target: peer.ipv4 }, ports, 'a lie'),
    frame.udp(link, { source: liar.ipv4, target: peer.ipv4 }, ports, 'the truth'),
  );
  await expect.poll(() => tap.holding('the truth').length, { timeout: 5_000 }).toBe(1);
  expect(tap.holding('a lie')).toEqual([]);
});

it('cuts a subport off when it leaves the trunk, and leaves the others', async () => {
  const sub_ports = [{ port_id: inner.get(200)!.portId }];
  await lab.call('PUT', `/trunks/${trunk}/remove_subports`, { sub_ports });
  await expect.poll(() => inner.get(200)!.ping(peers.get(200)!.ipv4, { count: 1 }), { timeout: 10_000 }).toBe(false);
  expect(await inner.get(100)!.ping(peers.get(100)!.ipv4)).toBe(true);
});
