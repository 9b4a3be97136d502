/** Who gets what: nothing before a rule says so, nothing that is another's, nothing after the rule has gone. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { delay } from '#libs/kernel';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import * as frame from './lab/frames.js';
import { Lab } from './lab/lab.js';
import type { Network, Rule } from './lab/resources.js';

const EGRESS: Rule = { direction: 'egress' };
const tcp = (port: number): Rule => ({
  direction: 'ingress',
  protocol: 'tcp',
  port_range_min: port,
  port_range_max: port,
});
const CUT_WITHIN_MS = 1_000;

let lab: Lab;
let network: Network;
let speaker: Endpoint;

const words = (to: Endpoint, text: string): Buffer =>
  frame.udp(
    { from: speaker.mac, to: to.mac },
    { source: speaker.ipv4, target: to.ipv4 },
    { from: 6000, to: 6000 },
    text,
  );

beforeAll(async () => {
  lab = await Lab.open('isolation');
  network = await lab.network({ subnets: [{ cidr: '10.73.0.0/24' }] });
  speaker = await lab.endpoint({ network, groups: [await lab.group({ rules: [EGRESS] })] });
});

afterAll(() => lab.close());

it.each(['node-1', 'node-2'])('lets nothing into a port on %s from its first moment', async (node) => {
  const group = await lab.group({ rules: [] });
  const silent = await lab.prepare({ network, node, groups: [group] });
  const tap = await silent.tap();
  const flood = speaker.inject(...Array.from({ length: 400 }, (_, n) => words(silent, `flood ${n}`)));
  await delay(300);
  await silent.plug('static');
  await lab.active(silent.portId);
  await flood;
  expect(tap.holding('flood')).toEqual([]);
  // The same words are heard as soon as a rule lets them in.
  await lab.rule(group, { direction: 'ingress', protocol: 'udp' });
  const heard = async () => {
    await speaker.inject(words(silent, 'let in'));
    return tap.holding('let in').length > 0;
  };
  await until('the words that are let in', heard, Boolean, 5_000, 100);
});

it('brings what is for one to nobody else, whatever they allow', async () => {
  const open = await lab.group({ rules: [EGRESS, { direction: 'ingress' }] });
  const place = (node: string) => lab.endpoint({ network, node, groups: [open] });
  const [one, beside, elsewhere] = await Promise.all([place('node-2'), place('node-2'), place('node-1')]);
  const [own, ...others] = await Promise.all([one, beside, elsewhere].map((endpoint) => endpoint!.tap()));
  await speaker.inject(...Array.from({ length: 20 }, (_, n) => words(one!, `for one alone ${n}`)));
  await until(
    'the words',
    async () => own!.holding('for one alone').length,
    (count) => count === 20,
    5_000,
    20,
  );
  expect(others.map((tap) => tap.holding('for one alone').length)).toEqual([0, 0]);
});

it('has no network see another, though they use the same addresses', async () => {
  const twin = await lab.network({ subnets: [{ cidr: '10.73.0.0/24' }] });
  const open = await lab.group({ rules: [{ direction: 'ingress' }] });
  const here = await lab.endpoint({ network, node: 'node-2', groups: [open] });
  const fixed_ips = [{ subnet_id: twin.subnets[0]!.id, ip_address: here.ipv4 }];
  const there = await lab.endpoint({ network: twin, node: 'node-2', groups: [open], port: { fixed_ips } });
  const [own, other] = [await here.tap(), await there.tap()];
  await speaker.inject(words(here, 'this network'), words(there, 'to a MAC of the other network'));
  await until(
    'the words',
    async () => own.holding('this network').length,
    (count) => count === 1,
    5_000,
    20,
  );
  expect(own.holding('other network').length + other.frames.filter((bytes) => bytes.includes('network')).length).toBe(
    0,
  );
});

it('cuts an established connection when its rule goes, and no other', async () => {
  const group = await lab.group({ rules: [tcp(81)] });
  const rule = await lab.rule(group, tcp(80));
  const server = await lab.endpoint({ network, node: 'node-2', groups: [group] });
  await Promise.all([server.listen('tcp', 80), server.listen('tcp', 81)]);
  await speaker.ask('hold', { name: 'cut', host: server.ipv4, port: 80 });
  await speaker.ask('hold', { name: 'kept', host: server.ipv4, port: 81 });
  await delay(300);
  await lab.call('DELETE', `/security-group-rules/${rule}`);
  const deletedAt = Date.now();
  await delay(CUT_WITHIN_MS + 500);
  const [cut, kept] = [await speaker.ask('held', { name: 'cut' }), await speaker.ask('held', { name: 'kept' })];
  console.log(`cut ${cut.lastAt - deletedAt} ms after the rule's deletion was answered`);
  expect(cut.lastAt - deletedAt).toBeLessThan(CUT_WITHIN_MS);
  expect(Date.now() - kept.lastAt).toBeLessThan(300);
});

it('cuts one when the port leaves the group', async () => {
  const group = await lab.group({ rules: [tcp(80)] });
  const server = await lab.endpoint({ network, node: 'node-2', groups: [group] });
  await server.listen('tcp', 80);
  await speaker.ask('hold', { name: 'left', host: server.ipv4, port: 80 });
  await lab.call('PUT', `/ports/${server.portId}`, { port: { security_groups: [] } });
  const leftAt = Date.now();
  await delay(CUT_WITHIN_MS + 500);
  const { lastAt } = await speaker.ask('held', { name: 'left' });
  console.log(`cut ${lastAt - leftAt} ms after the port left its group`);
  expect(lastAt - leftAt).toBeLessThan(CUT_WITHIN_MS);
});
