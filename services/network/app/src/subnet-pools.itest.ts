import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Testbed, testbed } from './testbed.fixture.js';

type Row = Record<string, unknown> & { id: string };

let bed: Testbed;
beforeAll(async () => {
  bed = await testbed();
});
afterAll(async () => {
  const uneven = (await bed.service.books.quotas.audit(bed.service.db)).filter((row) => row.recorded !== row.counted);
  expect(uneven).toEqual([]);
  await bed.close();
});

const ADMIN = { roles: ['admin'] };
const OTHER = { project: 'p2' };
const fault = (answer: Answer) => ({
  status: answer.status,
  type: (answer.body['NeutronError'] as Row | undefined)?.['type'],
});
async function make(collection: string, one: string, body: object, as = {}): Promise<Row> {
  const answer = await bed.call('POST', `/v2.0/${collection}`, { [one]: body }, as);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body[one] as Row;
}
const makePool = (body: object, as = {}) => make('subnetpools', 'subnetpool', body, as);
const refusePool = async (body: object, as = {}) =>
  fault(await bed.call('POST', '/v2.0/subnetpools', { subnetpool: body }, as));

describe('subnet pools', () => {
  it('are made, shown, changed and deleted', async () => {
    const made = await makePool({ name: 'p', prefixes: ['10.1.0.0/16', '10.0.0.0/16'], default_prefixlen: '24' });
    expect(made).toMatchObject({
      name: 'p',
      project_id: 'p1',
      prefixes: ['10.0.0.0/15'],
      ip_version: 4,
      min_prefixlen: 8,
      max_prefixlen: 32,
      default_prefixlen: 24,
      default_quota: null,
      address_scope_id: null,
      is_default: false,
      shared: false,
      tags: [],
      revision_number: 1,
    });
    const path = `/v2.0/subnetpools/${made.id}`;
    const put = (body: object) => bed.call('PUT', path, { subnetpool: body });
    expect((await put({ prefixes: ['10.0.0.0/14'], min_prefixlen: 16 })).body['subnetpool']).toMatchObject({
      prefixes: ['10.0.0.0/14'],
      min_prefixlen: 16,
      default_prefixlen: 24,
      revision_number: 2,
    });
    expect(fault(await put({ prefixes: ['10.0.0.0/16'] }))).toEqual({ status: 400, type: 'IllegalSubnetPoolUpdate' });
    expect(fault(await put({ max_prefixlen: 20 }))).toEqual({ status: 400, type: 'IllegalSubnetPoolPrefixBounds' });
    const add = await bed.call('PUT', `${path}/add_prefixes`, { prefixes: ['192.168.0.0/24'] });
    expect(add.body).toEqual({ prefixes: ['10.0.0.0/14', '192.168.0.0/24'] });
    const remove = await bed.call('PUT', `${path}/remove_prefixes`, { prefixes: ['10.0.0.0/15'] });
    expect(remove.body).toEqual({ prefixes: ['10.2.0.0/15', '192.168.0.0/24'] });
    expect((await bed.call('DELETE', path)).status).toBe(204);
    expect(fault(await bed.call('GET', path))).toEqual({ status: 404, type: 'SubnetPoolNotFound' });
  });

  it('refuse nonsense by name', async () => {
    expect(await refusePool({ prefixes: [] })).toEqual({ status: 400, type: 'EmptySubnetPoolPrefixList' });
    expect(await refusePool({ prefixes: ['10.0.0.0/8', '2001:db8::/32'] })).toEqual({
      status: 400,
      type: 'PrefixVersionMismatch',
    });
    expect(await refusePool({ prefixes: ['nonsense'] })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await refusePool({ prefixes: ['10.0.0.0/8'], default_quota: -1 })).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
    expect(await refusePool({ prefixes: ['10.0.0.0/8'], min_prefixlen: 33 })).toEqual({
      status: 400,
      type: 'UnsupportedMinSubnetPoolPrefix',
    });
    expect(await refusePool({ prefixes: ['10.0.0.0/8'], shared: true })).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    expect(await refusePool({ prefixes: ['10.0.0.0/8'], address_scope_id: 'none' })).toEqual({
      status: 404,
      type: 'AddressScopeNotFound',
    });
  });

  it('are one by default for each version, and shared by policy', async () => {
    const first = await makePool({ prefixes: ['10.0.0.0/8'], is_default: true, shared: true }, ADMIN);
    expect(await refusePool({ prefixes: ['11.0.0.0/8'], is_default: true }, ADMIN)).toEqual({
      status: 400,
      type: 'InvalidInput',
    });
    const six = await makePool({ prefixes: ['2001:db8::/48'], is_default: true }, ADMIN);
    expect((await bed.call('GET', `/v2.0/subnetpools/${first.id}`, undefined, OTHER)).status).toBe(200);
    expect((await bed.call('GET', `/v2.0/subnetpools/${six.id}`, undefined, OTHER)).status).toBe(404);
    const listed = (await bed.call('GET', '/v2.0/subnetpools?shared=True', undefined, OTHER)).body;
    expect((listed['subnetpools'] as Row[]).map((pool) => pool.id)).toEqual([first.id]);
    const change = { subnetpool: { name: 'mine' } };
    expect((await bed.call('PUT', `/v2.0/subnetpools/${first.id}`, change, OTHER)).status).toBe(403);
    for (const pool of [first, six]) await bed.call('DELETE', `/v2.0/subnetpools/${pool.id}`, undefined, ADMIN);
  });
});

describe('subnets from pools', () => {
  const subnetOf = (body: object, as = {}) =>
    bed.call('POST', '/v2.0/subnets', { subnet: { ip_version: 4, ...body } }, as);

  it('get the lowest free prefix, one of a length, or the one that is named', async () => {
    const pool = await makePool({ prefixes: ['10.0.0.0/16'], default_prefixlen: 24, max_prefixlen: 28 });
    const one = async (body: object): Promise<Row> => {
      const network_id = (await make('networks', 'network', {})).id;
      const answer = await subnetOf({ network_id, subnetpool_id: pool.id, ...body });
      expect(answer.status, JSON.stringify(answer.body)).toBe(201);
      return answer.body['subnet'] as Row;
    };
    expect(await one({})).toMatchObject({ cidr: '10.0.0.0/24', gateway_ip: '10.0.0.1', subnetpool_id: pool.id });
    expect(await one({ prefixlen: 28 })).toMatchObject({ cidr: '10.0.1.0/28' });
    expect(await one({ cidr: '10.0.9.0/24' })).toMatchObject({ cidr: '10.0.9.0/24', subnetpool_id: pool.id });
    expect(await one({})).toMatchObject({ cidr: '10.0.2.0/24' });
    const network_id = (await make('networks', 'network', {})).id;
    const refuse = async (body: object) => fault(await subnetOf({ network_id, subnetpool_id: pool.id, ...body }));
    expect(await refuse({ cidr: '10.0.9.0/25' })).toEqual({ status: 409, type: 'SubnetAllocationError' });
    expect(await refuse({ prefixlen: 29 })).toEqual({ status: 400, type: 'MaxPrefixSubnetAllocationError' });
    expect(await refuse({ prefixlen: 24, cidr: '10.0.20.0/24' })).toEqual({ status: 400, type: 'BadRequest' });
    expect(await refuse({ ip_version: 6 })).toEqual({ status: 400, type: 'BadRequest' });
    expect(await refuse({ subnetpool_id: 'prefix_delegation' })).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await refuse({ subnetpool_id: 'none' })).toEqual({ status: 404, type: 'SubnetPoolNotFound' });
    expect(fault(await subnetOf({ network_id }))).toEqual({ status: 400, type: 'BadRequest' });
    expect(fault(await subnetOf({ network_id, use_default_subnetpool: true }))).toEqual({
      status: 400,
      type: 'InvalidInput',
    });
    expect(fault(await bed.call('DELETE', `/v2.0/subnetpools/${pool.id}`))).toEqual({
      status: 400,
      type: 'SubnetPoolDeleteError',
    });
  });

  it('of one network are all from one pool', async () => {
    const pool = await makePool({ prefixes: ['10.0.0.0/16'], default_prefixlen: 24 });
    const network_id = (await make('networks', 'network', {})).id;
    expect((await subnetOf({ network_id, subnetpool_id: pool.id })).status).toBe(201);
    expect(fault(await subnetOf({ network_id, cidr: '172.16.0.0/24' }))).toEqual({
      status: 400,
      type: 'NetworkSubnetPoolAffinityError',
    });
    const six = { network_id, ip_version: 6, cidr: '2001:db8::/64' };
    expect((await subnetOf(six)).status).toBe(201);
  });

  it('made at once never overlap, and none is refused while there is room', async () => {
    const pool = await makePool({ prefixes: ['10.0.0.0/19'], default_prefixlen: 24, default_quota: 32 * 256 });
    const networks = await Promise.all(Array.from({ length: 34 }, () => make('networks', 'network', {})));
    const answers = await Promise.all(
      networks.map((network) => subnetOf({ network_id: network.id, subnetpool_id: pool.id })),
    );
    const made = answers
      .filter((answer) => answer.status === 201)
      .map((answer) => (answer.body['subnet'] as Row)['cidr']);
    expect([made.length, new Set(made).size]).toEqual([32, 32]);
    for (const answer of answers.filter((one) => one.status !== 201)) expect(fault(answer).status).toBe(409);
  });

  it('count against the quota of the pool', async () => {
    const pool = await makePool({ prefixes: ['10.0.0.0/16'], default_prefixlen: 24, default_quota: 300 });
    const nets = [await make('networks', 'network', {}), await make('networks', 'network', {})];
    expect((await subnetOf({ network_id: nets[0]!.id, subnetpool_id: pool.id })).status).toBe(201);
    expect(fault(await subnetOf({ network_id: nets[1]!.id, subnetpool_id: pool.id }))).toEqual({
      status: 409,
      type: 'SubnetPoolQuotaExceeded',
    });
  });

  it('put their network into the scope of the pool', async () => {
    const scope = await make('address-scopes', 'address_scope', { name: 's', ip_version: 4 });
    const pool = await makePool({ prefixes: ['10.0.0.0/16'], default_prefixlen: 24, address_scope_id: scope.id });
    const network_id = (await make('networks', 'network', {})).id;
    await subnetOf({ network_id, subnetpool_id: pool.id });
    expect((await bed.call('GET', `/v2.0/networks/${network_id}`)).body['network']).toMatchObject({
      ipv4_address_scope: scope.id,
      ipv6_address_scope: null,
    });
  });
});

describe('address scopes', () => {
  it('hold pools whose prefixes never meet', async () => {
    const scope = await make('address-scopes', 'address_scope', { name: 's', ip_version: 4 });
    expect(scope).toMatchObject({ name: 's', ip_version: 4, shared: false, project_id: 'p1' });
    const pool = await makePool({ prefixes: ['10.0.0.0/16'], address_scope_id: scope.id });
    const meeting = { prefixes: ['10.0.1.0/24'], address_scope_id: scope.id };
    expect(await refusePool(meeting)).toEqual({ status: 409, type: 'AddressScopePrefixConflict' });
    expect(await refusePool({ prefixes: ['2001:db8::/48'], address_scope_id: scope.id })).toEqual({
      status: 400,
      type: 'IllegalSubnetPoolIpVersionAssociationToAddressScope',
    });
    expect(await refusePool({ prefixes: ['10.5.0.0/16'], address_scope_id: scope.id }, OTHER)).toEqual({
      status: 404,
      type: 'AddressScopeNotFound',
    });
    const path = `/v2.0/address-scopes/${scope.id}`;
    expect(fault(await bed.call('DELETE', path))).toEqual({ status: 409, type: 'AddressScopeInUse' });
    await bed.call('PUT', `/v2.0/subnetpools/${pool.id}`, { subnetpool: { address_scope_id: null } });
    expect((await bed.call('DELETE', path)).status).toBe(204);
    await bed.call('DELETE', `/v2.0/subnetpools/${pool.id}`);
  });

  it('once shared stay shared', async () => {
    const scope = await make('address-scopes', 'address_scope', { name: 's', ip_version: 4, shared: true }, ADMIN);
    const path = `/v2.0/address-scopes/${scope.id}`;
    expect((await bed.call('GET', path, undefined, OTHER)).body['address_scope']).toMatchObject({ shared: true });
    expect(fault(await bed.call('PUT', path, { address_scope: { shared: false } }, ADMIN))).toEqual({
      status: 400,
      type: 'AddressScopeUpdateError',
    });
    expect((await bed.call('DELETE', path, undefined, ADMIN)).status).toBe(204);
  });
});

describe('subnets that are there already', () => {
  const show = async (path: string, name: string): Promise<Row> =>
    (await bed.call('GET', `/v2.0/${path}`)).body[name] as Row;
  const subnetOn = (network: Row, cidr: string, as: object = {}) =>
    make('subnets', 'subnet', { network_id: network.id, ip_version: cidr.includes(':') ? 6 : 4, cidr }, as);
  const onboard = (pool: Row, network: { id: string }, as: object = {}) =>
    bed.call('PUT', `/v2.0/subnetpools/${pool.id}/onboard_network_subnets`, { network_id: network.id }, as);

  it('are taken into a pool, which grows by them', async () => {
    const network = await make('networks', 'network', {});
    const first = await subnetOn(network, '172.20.0.0/24');
    await subnetOn(network, '2001:db8:20::/64');
    const pool = await make('subnetpools', 'subnetpool', { prefixes: ['172.21.0.0/16'] });
    const done = await onboard(pool, network);
    expect([done.status, done.body]).toEqual([200, [{ id: first.id, cidr: '172.20.0.0/24' }]]);
    const shown = await show(`subnetpools/${pool.id}`, 'subnetpool');
    expect(shown['prefixes']).toEqual(['172.20.0.0/24', '172.21.0.0/16']);
    const subnet = await show(`subnets/${first.id}`, 'subnet');
    expect(subnet).toMatchObject({ subnetpool_id: pool.id, revision_number: 2 });
    expect(fault(await onboard(pool, network))).toEqual({ status: 400, type: 'IllegalSubnetPoolUpdate' });
    expect(fault(await bed.call('DELETE', `/v2.0/subnetpools/${pool.id}`))).toMatchObject({ status: 400 });
    const bare = await make('networks', 'network', {});
    expect((await onboard(pool, bare)).body).toEqual([]);
    expect(fault(await onboard(pool, { id: 'x' }))).toEqual({ status: 404, type: 'NetworkNotFound' });
  });

  it('stay apart where scopes say so', async () => {
    const network = await make('networks', 'network', {});
    await subnetOn(network, '172.22.0.0/24');
    const scope = await make('address-scopes', 'address_scope', { name: 's', ip_version: 4 });
    await make('subnetpools', 'subnetpool', { prefixes: ['172.22.0.0/16'], address_scope_id: scope.id });
    const pool = await make('subnetpools', 'subnetpool', { prefixes: ['172.23.0.0/16'], address_scope_id: scope.id });
    expect(fault(await onboard(pool, network))).toMatchObject({ type: 'AddressScopePrefixConflict' });
    const shown = await show(`subnetpools/${pool.id}`, 'subnetpool');
    expect(shown['prefixes']).toEqual(['172.23.0.0/16']);
  });

  it('are their owner’s to give, also where the network is shared', async () => {
    const network = await make('networks', 'network', { shared: true }, ADMIN);
    await subnetOn(network, '172.24.0.0/24', ADMIN);
    const other = { project: 'other' };
    const pool = await make('subnetpools', 'subnetpool', { prefixes: ['172.25.0.0/16'] }, other);
    expect(fault(await onboard(pool, network, other))).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    const hidden = await make('networks', 'network', {});
    expect(fault(await onboard(pool, hidden, other))).toEqual({ status: 404, type: 'NetworkNotFound' });
  });
});
