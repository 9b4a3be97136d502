import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed({ physicalNetworks: [{ name: 'public' }, { name: 'tagged', vlans: [100, 104] }] });
const make = makers(bed);

describe('networks', () => {
  it('are made, shown, changed and deleted', async () => {
    const made = await make.network({
      name: 'first',
      description: 'd',
      admin_state_up: true,
      'router:external': false,
    });
    expect(made).toMatchObject({
      name: 'first',
      description: 'd',
      project_id: 'p1',
      tenant_id: 'p1',
      status: 'ACTIVE',
      mtu: 1442,
      shared: false,
      subnets: [],
      port_security_enabled: true,
      'router:external': false,
      revision_number: 1,
    });
    expect(made).not.toHaveProperty('provider:network_type');
    expect(made['created_at']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const path = `/v2.0/networks/${made.id}`;
    expect(one(await bed().call('GET', path), 'network')).toEqual(made);
    expect(one(await bed().call('GET', `${path}?fields=id&fields=name`), 'network')).toEqual({
      id: made.id,
      name: 'first',
    });
    expect(one(await bed().call('GET', path, undefined, ADMIN), 'network')).toMatchObject({
      'provider:network_type': 'geneve',
      'provider:physical_network': null,
    });
    const changed = one(await bed().call('PUT', path, { network: { name: 'second', mtu: 1300 } }), 'network');
    expect(changed).toMatchObject({ name: 'second', mtu: 1300, description: 'd', revision_number: 2 });
    expect((await bed().call('DELETE', path)).status).toBe(204);
    expect(fault(await bed().call('GET', path))).toEqual({ status: 404, type: 'NetworkNotFound' });
  });

  it('are looked up by name after a 404', async () => {
    const made = await make.network({ name: 'by-name' });
    expect(fault(await bed().call('GET', '/v2.0/networks/by-name'))).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(many(await bed().call('GET', '/v2.0/networks?name=by-name'), 'networks').map((n) => n.id)).toEqual([
      made.id,
    ]);
  });

  it('are made in bulk or not at all', async () => {
    const body = { networks: [{ name: 'b1' }, { name: 'b2' }] };
    expect(many(await bed().call('POST', '/v2.0/networks', body), 'networks').map((n) => n['name'])).toEqual([
      'b1',
      'b2',
    ]);
    const limited = { project: 'tiny' };
    await bed().call('PUT', '/v2.0/quotas/tiny', { quota: { network: 1 } }, ADMIN);
    expect(fault(await bed().call('POST', '/v2.0/networks', body, limited))).toEqual({
      status: 409,
      type: 'OverQuota',
    });
    expect(many(await bed().call('GET', '/v2.0/networks?project_id=tiny', undefined, limited), 'networks')).toEqual([]);
  });

  it('of another project do not exist, and nothing tells otherwise', async () => {
    const made = await make.network();
    const foreign = await bed().call('GET', `/v2.0/networks/${made.id}`, undefined, { project: 'p2' });
    const unknown = await bed().call('GET', `/v2.0/networks/${randomUUID()}`, undefined, { project: 'p2' });
    expect(fault(foreign)).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(JSON.stringify(foreign.body).replaceAll(made.id, 'X')).toBe(
      JSON.stringify(unknown.body).replace(/[0-9a-f-]{36}/g, 'X'),
    );
    for (const method of ['PUT', 'DELETE']) {
      expect(
        (
          await bed().call(method, `/v2.0/networks/${made.id}`, method === 'PUT' ? { network: {} } : undefined, {
            project: 'p2',
          })
        ).status,
      ).toBe(404);
    }
    expect(
      (await bed().call('GET', `/v2.0/networks/${made.id}`, undefined, { project: 'p2', roles: ['admin'] })).status,
    ).toBe(200);
  });

  it('that are shared may be used by all and changed by their owner', async () => {
    expect(fault(await bed().call('POST', '/v2.0/networks', { network: { shared: true } }))).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    const shared = await make.network({ shared: true }, ADMIN);
    await make.subnet(shared.id, {}, ADMIN);
    const other = { project: 'p2' };
    expect((await bed().call('GET', `/v2.0/networks/${shared.id}`, undefined, other)).status).toBe(200);
    const port = await make.port(shared.id, {}, other);
    expect(port['project_id']).toBe('p2');
    expect((await bed().call('PUT', `/v2.0/networks/${shared.id}`, { network: { name: 'x' } }, other)).status).toBe(
      403,
    );
    const subnet = { subnet: { network_id: shared.id, cidr: '10.9.0.0/24', ip_version: 4 } };
    expect(fault(await bed().call('POST', '/v2.0/subnets', subnet, other))).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    const withIp = { port: { network_id: shared.id, fixed_ips: [{ ip_address: '10.0.0.99' }] } };
    expect((await bed().call('POST', '/v2.0/ports', withIp, other)).status).toBe(403);
    expect((await bed().call('DELETE', `/v2.0/ports/${port.id}`, undefined, other)).status).toBe(204);
  });

  it('refuse what is not here, by name', async () => {
    const attempt = async (network: object, as: object = {}) =>
      fault(await bed().call('POST', '/v2.0/networks', { network }, as));
    expect(await attempt({ 'router:external': true })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await attempt({ 'provider:network_type': 'flat' }, ADMIN)).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await attempt({ mtu: 9000 })).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await attempt({ availability_zone_hints: ['mars'] })).toEqual({
      status: 404,
      type: 'AvailabilityZoneNotFound',
    });
    expect(await attempt({ nonsense: 1 })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await attempt({ name: 'a\0b' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await attempt({ name: 'x'.repeat(256) })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await attempt({ project_id: 'p2' })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(fault(await bed().call('POST', '/v2.0/networks', '{"network": '))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
    expect(fault(await bed().call('POST', '/v2.0/networks', '{"network": {"__proto__": {"shared": true}}}'))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
    expect(
      (await bed().call('POST', '/v2.0/networks', JSON.stringify({ network: { name: 'x'.repeat(2 << 20) } }))).status,
    ).toBe(413);
    expect((await bed().call('PATCH', '/v2.0/networks', {})).status).toBe(405);
    expect(fault(await bed().call('GET', '/v2.0/nonsense'))).toEqual({ status: 404, type: 'HTTPNotFound' });
  });
});

describe('external networks', () => {
  it('are made by administrators on a physical network, and seen by all', async () => {
    const made = await make.network(
      {
        name: 'out',
        'router:external': true,
        'provider:network_type': 'flat',
        'provider:physical_network': 'public',
      },
      ADMIN,
    );
    expect(made).toMatchObject({
      'router:external': true,
      is_default: false,
      shared: false,
      mtu: 1500,
      'provider:network_type': 'flat',
      'provider:physical_network': 'public',
      'provider:segmentation_id': null,
    });
    const other = { project: 'p2' };
    const path = `/v2.0/networks/${made.id}`;
    expect(one(await bed().call('GET', path, undefined, other), 'network')).toMatchObject({ 'router:external': true });
    const listed = many(await bed().call('GET', '/v2.0/networks?router:external=True', undefined, other), 'networks');
    expect(listed.map((network) => network.id)).toEqual([made.id]);
    expect(fault(await bed().call('POST', '/v2.0/ports', { port: { network_id: made.id } }, other)).status).toBe(404);
    const again = {
      network: { 'provider:network_type': 'flat', 'provider:physical_network': 'public' },
    };
    expect(fault(await bed().call('POST', '/v2.0/networks', again, ADMIN))).toEqual({
      status: 409,
      type: 'FlatNetworkInUse',
    });
    const closed = one(await bed().call('PUT', path, { network: { 'router:external': false } }, ADMIN), 'network');
    expect(closed['router:external']).toBe(false);
    expect((await bed().call('GET', path, undefined, other)).status).toBe(404);
    expect((await bed().call('DELETE', path, undefined, ADMIN)).status).toBe(204);
  });
});

describe('conditional changes', () => {
  it('happen only at the revision that the client saw', async () => {
    const made = await make.network();
    const put = (match: string, name: string) =>
      fetch(`${bed().url}/v2.0/networks/${made.id}`, {
        method: 'PUT',
        headers: { 'x-auth-token': bed().token('p1'), 'content-type': 'application/json', 'if-match': match },
        body: JSON.stringify({ network: { name } }),
      });
    expect((await put('revision_number=7', 'a')).status).toBe(412);
    expect((await put('nonsense', 'a')).status).toBe(400);
    const both = await Promise.all([put('revision_number=1', 'b'), put('revision_number=1', 'c')]);
    expect(both.map((answer) => answer.status).sort()).toEqual([200, 412]);
    const shown = one(await bed().call('GET', `/v2.0/networks/${made.id}`), 'network');
    expect(shown['revision_number']).toBe(2);
  });
});

describe('how a network is carried', () => {
  const vlan = { 'provider:network_type': 'vlan', 'provider:physical_network': 'tagged' };

  it('by the next free VLAN, also for twenty at once', async () => {
    const first = await make.network({ ...vlan, 'provider:segmentation_id': 101 }, ADMIN);
    expect(first['provider:segmentation_id']).toBe(101);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => bed().call('POST', '/v2.0/networks', { network: vlan }, ADMIN)),
    );
    const ids = answers.flatMap((answer) => (answer.status === 201 ? [one(answer, 'network')] : []));
    expect(ids.map((network) => network['provider:segmentation_id']).sort()).toEqual([100, 102, 103, 104]);
    expect(fault(answers.find((answer) => answer.status !== 201)!)).toEqual({
      status: 503,
      type: 'NoNetworkAvailable',
    });
    for (const { id } of [first, ...ids]) await bed().call('DELETE', `/v2.0/networks/${id}`, undefined, ADMIN);
    const unnamed = await make.network({ 'provider:network_type': 'vlan' }, ADMIN);
    expect(unnamed).toMatchObject({ 'provider:physical_network': 'tagged', 'provider:segmentation_id': 100 });
  });

  it('may be said as one segment, and as no more', async () => {
    const made = await make.network({ segments: [{ ...vlan, 'provider:segmentation_id': 2000 }] }, ADMIN);
    expect(made).toMatchObject({ ...vlan, 'provider:segmentation_id': 2000 });
    const attempt = async (network: object, as: object = ADMIN) =>
      fault(await bed().call('POST', '/v2.0/networks', { network }, as));
    expect(await attempt({ segments: [vlan, vlan] })).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await attempt({ segments: [vlan], ...vlan })).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await attempt({ segments: [vlan] }, {})).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await attempt({ vlan_transparent: true })).toEqual({ status: 400, type: 'HTTPBadRequest' });
  });

  it('with an MTU that its subnets can live with', async () => {
    const network = await make.network();
    const put = async (mtu: number) =>
      fault(await bed().call('PUT', `/v2.0/networks/${network.id}`, { network: { mtu } }));
    await make.subnet(network.id);
    expect((await put(1000)).status).toBe(200);
    const six = { subnet: { network_id: network.id, ip_version: 6, cidr: 'fd00::/64' } };
    const conflict = { status: 409, type: 'NetworkMTUSubnetConflict' };
    expect(fault(await bed().call('POST', '/v2.0/subnets', six))).toEqual(conflict);
    expect((await put(1280)).status).toBe(200);
    expect((await bed().call('POST', '/v2.0/subnets', six)).status).toBe(201);
    expect(await put(1279)).toEqual(conflict);
  });

  it('in zones that there are', async () => {
    const made = await make.network({ availability_zone_hints: ['nova'] });
    expect(made).toMatchObject({ availability_zone_hints: ['nova'], availability_zones: ['nova'] });
    expect(await make.network()).toMatchObject({ availability_zone_hints: [], availability_zones: ['nova'] });
  });

  it('under a domain', async () => {
    const made = await make.network({ dns_domain: 'My.Org.' });
    expect(made['dns_domain']).toBe('my.org.');
    const put = async (dns_domain: unknown) =>
      bed().call('PUT', `/v2.0/networks/${made.id}`, { network: { dns_domain } });
    expect(fault(await put('my.org'))).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(fault(await put('my\r\norg.'))).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(one(await put(''), 'network')['dns_domain']).toBe('');
  });
});
