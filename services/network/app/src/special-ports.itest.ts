/** Ports that serve a network: what its owner may do with them, and who keeps a network from going. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed();
const make = makers(bed);
const remove = (path: string, as: object = {}) => bed().call('DELETE', `/v2.0/${path}`, undefined, as);
const metadataOf = async (networkId: string): Promise<Row[]> => {
  const query = `network_id=${networkId}&device_owner=network:distributed`;
  return many(await bed().call('GET', `/v2.0/ports?${query}`), 'ports');
};
const switchPorts = (networkId: string) => bed().ovn.tool('ovn-nbctl', 'lsp-list', networkId);
const optionsOf = (subnetId: string) => bed().ovn.tool('ovn-nbctl', 'dhcp-options-get-options', subnetId);
const NETWORK = { name: `n-${randomUUID()}` };

it('lets the owner of a network be rid of its metadata port, and makes it anew with the next served subnet', async () => {
  const network = await make.network(NETWORK);
  await make.subnet(network.id);
  const [port] = await metadataOf(network.id);
  expect(port!['fixed_ips']).toHaveLength(1);
  await expect.poll(() => switchPorts(network.id), { timeout: 8_000 }).toContain(port!.id);
  expect((await remove(`ports/${port!.id}`, { project: 'other' })).status).toBe(404);
  expect((await remove(`ports/${port!.id}`)).status).toBe(204);
  expect(await metadataOf(network.id)).toEqual([]);
  await expect.poll(() => switchPorts(network.id), { timeout: 8_000 }).not.toContain(port!.id);

  const device = randomUUID();
  await make.port(network.id, { device_id: device, device_owner: 'compute:nova' });
  await make.subnet(network.id, { cidr: '10.1.0.0/24' });
  const [anew] = await metadataOf(network.id);
  expect(anew!.id).not.toBe(port!.id);
  expect(anew!['fixed_ips']).toHaveLength(1);
  await expect.poll(() => switchPorts(network.id), { timeout: 8_000 }).toContain(anew!.id);
  const { books, db } = bed().service;
  expect((await books.serverNews.due(db, 100)).map((news) => news.serverId)).toContain(device);
});

it('answers DHCP without a way to metadata once the port is gone', async () => {
  const network = await make.network(NETWORK);
  const subnet = await make.subnet(network.id);
  await expect.poll(() => optionsOf(subnet.id), { timeout: 8_000 }).toContain('169.254.169.254');
  const [port] = await metadataOf(network.id);
  expect((await remove(`ports/${port!.id}`)).status).toBe(204);
  await expect.poll(() => optionsOf(subnet.id), { timeout: 8_000 }).not.toContain('169.254.169.254');
});

it('keeps the ports of routers and floating IPs with what they serve', async () => {
  const network = await make.network(NETWORK);
  const subnet = await make.subnet(network.id);
  const router = one(await bed().call('POST', '/v2.0/routers', { router: { name: 'r' } }), 'router');
  const added = await bed().call('PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  expect(fault(await remove(`ports/${added.body['port_id']}`))).toEqual({ status: 409, type: 'ServicePortInUse' });
  expect(fault(await remove(`networks/${network.id}`))).toEqual({ status: 409, type: 'NetworkInUse' });
});

it('lets a network and a subnet go with what a client made to serve DHCP on them', async () => {
  const network = await make.network(NETWORK);
  const subnet = await make.subnet(network.id);
  const served = async () => {
    const owner = { port: { device_owner: 'network:dhcp' } };
    const port = await make.port(network.id);
    return one(await bed().call('PUT', `/v2.0/ports/${port.id}`, owner, ADMIN), 'port');
  };
  const first = await served();
  expect((await remove(`subnets/${subnet.id}`)).status).toBe(204);
  expect(one(await bed().call('GET', `/v2.0/ports/${first.id}`), 'port')['fixed_ips']).toEqual([]);
  expect((await remove(`ports/${first.id}`)).status).toBe(204);
  const second = await served();
  expect((await remove(`networks/${network.id}`)).status).toBe(204);
  expect((await bed().call('GET', `/v2.0/ports/${second.id}`)).status).toBe(404);
});
