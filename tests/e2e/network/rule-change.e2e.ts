/** How soon a new rule lets packets through on every node, in a group of 200 ports whose rules name the group itself. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Endpoint, sweepNode } from './lab/endpoint.js';
import { Lab } from './lab/lab.js';

const PORTS = 200;
const MOST_NODES = 3;
const BATCH = 20;

let lab: Lab;
let group: string;
let members: Endpoint[];
const more: string[] = [];

beforeAll(async () => {
  lab = await Lab.open('rule-change', []);
  const nodes = (await lab.nodes()).sort().slice(0, MOST_NODES);
  await Promise.all(nodes.map(sweepNode));
  const network = await lab.network({ subnets: [{ cidr: '10.78.0.0/22' }] });
  group = await lab.group({ rules: [{ direction: 'egress' }] });
  members = await Promise.all(nodes.map((node) => lab.endpoint({ network, node, groups: [group] })));
  for (const member of members) for (let n = 1; n <= 5; n++) await member.listen('tcp', 9000 + n);
  for (let made = members.length; made < PORTS; made += BATCH) {
    const ports = Array.from({ length: Math.min(BATCH, PORTS - made) }, () => ({
      network_id: network.id,
      name: 'rule-change-more',
      security_groups: [group],
    }));
    const answer = await lab.call<{ id: string }[]>('POST', '/ports', { ports });
    more.push(...answer.map((port) => port.id));
  }
});
afterAll(async () => {
  for (const id of more) await lab.call('DELETE', `/ports/${id}`);
  await lab.close();
});

/** Milliseconds until the member on each node is reached from another. */
async function opened(port: number, began: number): Promise<number> {
  const reached = members.map(async (to, at) => {
    const from = members[(at + 1) % members.length]!;
    while ((await from.connect('tcp', to.ipv4, port, 100)).outcome !== 'open')
      expect(performance.now() - began).toBeLessThan(10_000);
  });
  await Promise.all(reached);
  return performance.now() - began;
}

it('is less than a second', async () => {
  const times: number[] = [];
  for (let n = 1; n <= 5; n++) {
    const port = 9000 + n;
    const began = performance.now();
    await lab.rule(group, {
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: port,
      port_range_max: port,
      remote_group_id: group,
    });
    times.push(await opened(port, began));
  }
  console.log(`on ${members.length} nodes after ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  expect(times.toSorted((a, b) => a - b)[2]).toBeLessThan(1_000);
});
