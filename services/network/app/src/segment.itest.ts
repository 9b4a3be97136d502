/** What carries each network, as operators see it. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed({ physicalNetworks: [{ name: 'public' }] });
const make = makers(bed);
const list = async (query: string): Promise<Row[]> =>
  many(await bed().call('GET', `/v2.0/segments?${query}`, undefined, ADMIN), 'segments');
const segmentOf = async (network: Row): Promise<Row> => (await list(`network_id=${network.id}`))[0]!;
const put = (path: string, body: object) => bed().call('PUT', `/v2.0/${path}`, body, ADMIN);

it('is there with each network, for administrators alone', async () => {
  const carrier = { 'provider:network_type': 'vlan', 'provider:physical_network': 'public' };
  const network = await make.network({ ...carrier, 'provider:segmentation_id': 7 }, ADMIN);
  const segment = await segmentOf(network);
  expect(segment).toMatchObject({
    network_id: network.id,
    network_type: 'vlan',
    physical_network: 'public',
    segmentation_id: 7,
    name: null,
    description: null,
    revision_number: 1,
  });
  const tunnel = await make.network();
  expect(await segmentOf(tunnel)).toMatchObject({ network_type: 'geneve', physical_network: null });
  expect((await list('network_type=vlan')).map((row) => row.id)).toEqual([segment.id]);
  expect((await list('physical_network=public&segmentation_id=8')).length).toBe(0);
  const path = `/v2.0/segments/${segment.id}`;
  expect(one(await bed().call('GET', path, undefined, ADMIN), 'segment')).toEqual(segment);
  expect((await bed().call('GET', path)).status).toBe(404);
  expect((await bed().call('GET', '/v2.0/segments')).status).toBe(403);
  expect((await bed().call('DELETE', `/v2.0/networks/${network.id}`, undefined, ADMIN)).status).toBe(204);
  const gone = await bed().call('GET', path, undefined, ADMIN);
  expect(fault(gone)).toEqual({ status: 404, type: 'SegmentNotFound' });
});

it('has a name and a description that can be changed, and nothing else', async () => {
  const { id } = await segmentOf(await make.network());
  const change = (segment: object) => put(`segments/${id}`, { segment });
  expect(one(await change({ name: 'rack 1', description: 'd' }), 'segment')).toMatchObject({
    name: 'rack 1',
    description: 'd',
    revision_number: 2,
  });
  expect((await list('name=rack%201')).map((row) => row.id)).toEqual([id]);
  expect(one(await change({ name: null }), 'segment')).toMatchObject({ name: null, description: 'd' });
  expect((await put(`segments/${id}/tags/blue`, {})).status).toBeLessThan(300);
  expect((await list('tags=blue')).map((row) => row.id)).toEqual([id]);
  for (const bad of [{ segmentation_id: 5 }, { network_type: 'flat' }, { name: 'a\0b' }, { name: 'x'.repeat(256) }])
    expect((await change(bad)).status, JSON.stringify(bad)).toBe(400);
});

it('is the only one of its network, and stays with it', async () => {
  const network = await make.network();
  const { id } = await segmentOf(network);
  const create = async (segment: object) => fault(await bed().call('POST', '/v2.0/segments', { segment }, ADMIN));
  const asked = { network_type: 'geneve', segmentation_id: 1000, name: 's' };
  expect(await create({ ...asked, network_id: network.id })).toEqual({ status: 400, type: 'InvalidInput' });
  for (const network_id of [randomUUID(), 'x'])
    expect(await create({ ...asked, network_id })).toEqual({ status: 404, type: 'NetworkNotFound' });
  const removal = fault(await bed().call('DELETE', `/v2.0/segments/${id}`, undefined, ADMIN));
  expect(removal).toEqual({ status: 409, type: 'SegmentInUse' });
});

it('is named by all subnets of its network or by none', async () => {
  const network = await make.network();
  const { id } = await segmentOf(network);
  const other = await segmentOf(await make.network());
  const refused = async (body: object, as: object = ADMIN) => {
    const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24', ...body };
    return fault(await bed().call('POST', '/v2.0/subnets', { subnet }, as));
  };
  expect(await refused({ segment_id: other.id })).toEqual({ status: 400, type: 'NetworkIdsDontMatch' });
  expect(await refused({ segment_id: randomUUID() })).toEqual({ status: 404, type: 'SegmentNotFound' });
  expect(await refused({ segment_id: 'x' })).toMatchObject({ status: 400 });
  expect(await refused({ segment_id: id }, {})).toEqual({ status: 403, type: 'PolicyNotAuthorized' });

  const subnet = await make.subnet(network.id, {}, ADMIN);
  expect(subnet['segment_id']).toBeNull();
  expect(await make.subnet(network.id, { cidr: '10.9.0.0/24' })).not.toHaveProperty('segment_id');
  const own = await make.network();
  const mine = await segmentOf(own);
  const first = await make.subnet(own.id, {}, ADMIN);
  const associate = (segment_id: string | null) => put(`subnets/${first.id}`, { subnet: { segment_id } });
  expect(one(await associate(mine.id), 'subnet')['segment_id']).toBe(mine.id);
  expect(fault(await associate(null))).toEqual({ status: 400, type: 'SubnetSegmentAssociationChangeNotAllowed' });
  const bare = { network_id: own.id, cidr: '10.1.0.0/24' };
  expect(await refused(bare)).toEqual({ status: 400, type: 'SubnetsNotAllAssociatedWithSegments' });
  expect(await make.subnet(own.id, { cidr: '10.1.0.0/24', segment_id: mine.id }, ADMIN)).toMatchObject({
    segment_id: mine.id,
  });
  // Ports get their addresses as ever.
  expect((await make.port(own.id))['fixed_ips']).toHaveLength(1);
  expect((await bed().call('DELETE', `/v2.0/networks/${own.id}`)).status).toBe(409);
});
