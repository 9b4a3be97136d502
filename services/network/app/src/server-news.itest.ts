/** Compute hears of a server's ports that change, once for each change, and the API answers over gRPC as at its door. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { restV1 } from '#libs/contract';
import { delay, fail } from '#libs/kernel';
import { connectGrpc } from '#libs/platform/grpc';
import { openLog } from '#libs/platform/log';
import { ServerNewsRelay } from '#services/network/worker';
import { Routing } from './routing.fixture.js';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let networkId: string;
let subnetId: string;
beforeAll(async () => {
  bed = await testbed();
  networkId = (await made('networks', 'network', { name: 'net' })).id;
  subnetId = (await made('subnets', 'subnet', { network_id: networkId, cidr: '10.0.0.0/24', ip_version: 4 })).id;
});
afterAll(() => bed.close());
beforeEach(async () => {
  const { db, serverNews } = bed.service.books;
  await serverNews.settle(db, await serverNews.due(db, 100));
});

async function made(plural: string, single: string, body: object): Promise<{ id: string }> {
  const answer = await bed.call('POST', `/v2.0/${plural}`, { [single]: body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body[single] as { id: string };
}
const change = (id: string, port: object) => bed.call('PUT', `/v2.0/ports/${id}`, { port });
const told = async () => (await bed.service.books.serverNews.due(bed.service.db, 100)).map((news) => news.serverId);
/** What was told since it was asked last. */
async function heard(): Promise<string[]> {
  const { db, serverNews } = bed.service.books;
  const news = await serverNews.due(db, 100);
  await serverNews.settle(db, news);
  return news.map(({ serverId }) => serverId).sort();
}
const portOf = (device: string) =>
  made('ports', 'port', { network_id: networkId, device_id: device, device_owner: 'compute:nova' });

it('tells of what compute shows, and of nothing else', async () => {
  const server = randomUUID();
  const { id } = await portOf(server);
  await change(id, { name: 'renamed' });
  expect(await told()).toEqual([]);
  await change(id, { fixed_ips: [{ subnet_id: subnetId, ip_address: '10.0.0.77' }] });
  expect(await told()).toEqual([server]);
  const other = randomUUID();
  await change(id, { device_id: other });
  expect((await told()).sort()).toEqual([server, other].sort());
  await bed.call('DELETE', `/v2.0/ports/${id}`);
  expect((await told()).sort()).toEqual([server, other].sort());
  const loose = await portOf('no server');
  await bed.call('DELETE', `/v2.0/ports/${loose.id}`);
  expect(await told()).toHaveLength(2);
});

it('tells of floating IPs that come, move and go, and of groups that are renamed', async () => {
  const on = new Routing(bed);
  const out = await on.outside('203.0.113.0/24');
  const router = await on.router({ external_gateway_info: { network_id: out.network.id } });
  await on.add(router, { subnet_id: subnetId });
  const [first, second] = [randomUUID(), randomUUID()];
  const [one, two] = [await portOf(first), await portOf(second)];
  const floating = await made('floatingips', 'floatingip', { floating_network_id: out.network.id, port_id: one.id });
  expect(await heard()).toEqual([first]);
  const point = (port_id: string | null) =>
    bed.call('PUT', `/v2.0/floatingips/${floating.id}`, { floatingip: { port_id } });
  await bed.call('PUT', `/v2.0/floatingips/${floating.id}`, { floatingip: { description: 'd' } });
  expect(await heard()).toEqual([]);
  await point(two.id);
  expect(await heard()).toEqual([first, second].sort());
  await point(null);
  expect(await heard()).toEqual([second]);
  await point(one.id);
  await heard();
  await bed.call('DELETE', `/v2.0/floatingips/${floating.id}`);
  expect(await heard()).toEqual([first]);
  const group = await made('security-groups', 'security_group', { name: 'web' });
  await change(two.id, { security_groups: [group.id] });
  await heard();
  await bed.call('PUT', `/v2.0/security-groups/${group.id}`, { security_group: { name: 'front' } });
  expect(await heard()).toEqual([second]);
});

it('tells again what compute could not take, and what changed meanwhile', async () => {
  const server = randomUUID();
  const { id } = await portOf(server);
  const { books } = bed.service;
  const heard: string[][] = [];
  let away = true;
  const compute = {
    networkChanged: async ({ serverIds }: { serverIds: string[] }) => {
      if (away) throw fail.unavailable('away');
      if (heard.length === 0) await change(id, { fixed_ips: [{ subnet_id: subnetId, ip_address: '10.0.0.79' }] });
      heard.push(serverIds);
    },
  };
  const relay = new ServerNewsRelay(books, compute, openLog('network', 'silent'));
  await relay.start();
  await change(id, { fixed_ips: [{ subnet_id: subnetId, ip_address: '10.0.0.78' }] });
  await delay(50);
  expect(await told()).toEqual([server]);
  away = false;
  await change(id, { security_groups: [] });
  for (let tries = 0; tries < 100 && (await told()).length > 0; tries += 1) await delay(20);
  expect(heard).toEqual([[server], [server]]);
  await relay.stop();
});

it("performs operations in a caller's name, for compute alone", async () => {
  const as = (name: string) => connectGrpc(restV1.RestService, [bed.grpcAddress], 'network', bed.tls(name));
  const [compute, cli] = [as('compute'), as('cli')];
  const ask = (path: string, more: Partial<restV1.PerformRequest> = {}) =>
    compute.perform({ method: 'GET', path, token: bed.token('p1'), contentType: '', body: '', ifMatch: '', ...more });
  const own = await ask(`/v2.0/networks/${networkId}`);
  expect(own.status).toBe(200);
  expect(JSON.parse(own.body)).toMatchObject({ network: { id: networkId } });
  expect((await ask(`/v2.0/networks/${networkId}`, { token: bed.token('p2') })).status).toBe(404);
  expect((await ask('/v2.0/networks', { token: 'none' })).status).toBe(401);
  const wrong = { method: 'POST', contentType: 'application/json', body: '{"network":{"colour":"red"}}' };
  expect((await ask('/v2.0/networks', wrong)).status).toBe(400);
  const right = { ...wrong, body: '{"network":{"name":"made"}}' };
  expect((await ask('/v2.0/networks', right)).status).toBe(201);
  const change = { method: 'PUT', contentType: 'application/json', body: '{"network":{"description":"d"}}' };
  const revision = JSON.parse(own.body).network.revision_number as number;
  const at = (ifMatch: string) => ask(`/v2.0/networks/${networkId}`, { ...change, ifMatch });
  expect((await at(`revision_number=${revision + 1}`)).status).toBe(412);
  expect((await at(`revision_number=${revision}`)).status).toBe(200);
  await expect(ask('/v2.0/networks', { method: 'TRACE' })).rejects.toThrow('method');
  await expect(cli.perform(restV1.PerformRequest.fromPartial({ method: 'GET', path: '/' }))).rejects.toThrow('cli may');
  compute.close();
  cli.close();
});
