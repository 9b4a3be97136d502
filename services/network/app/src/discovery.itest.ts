import { describe, expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed({ quotas: { network: 100, security_group: 5 } });
const make = makers(bed);

describe('discovery', () => {
  it('tells the version and its resources to everyone', async () => {
    const versions = (await (await fetch(`${bed().url}/`)).json()) as { versions: Row[] };
    expect(versions.versions).toEqual([
      { id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: 'http://cloud.test/network/v2.0/' }] },
    ]);
    expect((await fetch(`${bed().url}/v2.0/`)).status).toBe(200);
    expect((await fetch(`${bed().url}/v2.0/networks`)).status).toBe(401);
  });

  it('lists extensions, none of which is a lie', async () => {
    const aliases = many(await bed().call('GET', '/v2.0/extensions'), 'extensions').map(
      (extension) => extension['alias'],
    );
    expect(aliases).toContain('security-group');
    expect(aliases).not.toContain('nonsense');
    expect((await bed().call('GET', '/v2.0/extensions/security-group')).status).toBe(200);
    expect(fault(await bed().call('GET', '/v2.0/extensions/Availability%20Zone'))).toEqual({
      status: 404,
      type: 'HTTPNotFound',
    });
  });

  it('answers at the paths of old clients, and says what it can not do', async () => {
    for (const path of ['/v2.0/networks.json', '/v2.0/networks/', '/v2.0/extensions.json', '/v2.0/quotas/p1.json']) {
      const answer = await bed().call('GET', path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.headers.get('x-openstack-request-id')).toMatch(/^req-/);
    }
    const { id } = await make.network();
    expect((await bed().call('GET', `/v2.0/networks/${id}.json`)).status).toBe(200);
    expect((await bed().call('HEAD', '/v2.0/networks')).status).toBe(200);
    expect(fault(await bed().call('PATCH', '/v2.0/networks', {}))).toEqual({
      status: 405,
      type: 'HTTPMethodNotAllowed',
    });
    expect(fault(await bed().call('GET', '/v2.0/nonsense'))).toEqual({ status: 404, type: 'HTTPNotFound' });
    for (const body of [undefined, '', {}, [], { network: null }, { network: {}, more: 1 }])
      expect(fault(await bed().call('PUT', `/v2.0/networks/${id}`, body))).toEqual({
        status: 400,
        type: 'HTTPBadRequest',
      });
    const refused = await bed().call('GET', '/v2.0/nonsense');
    expect(refused.headers.get('x-openstack-request-id')).toMatch(/^req-/);
  });

  it('names who provides routers', async () => {
    const ovn = { service_type: 'L3_ROUTER_NAT', name: 'ovn', default: true };
    const listed = async (query: string) =>
      many(await bed().call('GET', `/v2.0/service-providers${query}`), 'service_providers');
    expect(await listed('')).toEqual([ovn]);
    expect(await listed('?default=true&name=ovn')).toEqual([ovn]);
    expect(await listed('?service_type=LOADBALANCER')).toEqual([]);
  });
});

describe('quotas', () => {
  it('are shown, set, detailed and reset', async () => {
    const as = { project: 'quoted' };
    expect(one(await bed().call('GET', '/v2.0/quotas/quoted', undefined, as), 'quota')).toMatchObject({
      network: 100,
      security_group: 5,
    });
    expect((await bed().call('GET', '/v2.0/quotas/p1', undefined, as)).status).toBe(403);
    expect((await bed().call('PUT', '/v2.0/quotas/quoted', { quota: { network: 1 } }, as)).status).toBe(403);
    expect(
      one(await bed().call('PUT', '/v2.0/quotas/quoted', { quota: { network: 7, port: '9' } }, ADMIN), 'quota'),
    ).toMatchObject({ network: 7, port: 9 });
    await make.network({}, as);
    const details = one(await bed().call('GET', '/v2.0/quotas/quoted/details.json', undefined, as), 'quota');
    expect(details['network']).toEqual({ limit: 7, used: 1, reserved: 0 });
    expect(one(await bed().call('GET', '/v2.0/quotas/quoted/default', undefined, as), 'quota')['network']).toBe(100);
    expect(
      many(await bed().call('GET', '/v2.0/quotas', undefined, ADMIN), 'quotas').find(
        (q) => q['project_id'] === 'quoted',
      ),
    ).toMatchObject({ network: 7 });
    expect((await bed().call('DELETE', '/v2.0/quotas/quoted', undefined, ADMIN)).status).toBe(204);
    expect(one(await bed().call('GET', '/v2.0/quotas/quoted', undefined, as), 'quota')['network']).toBe(100);
    expect(fault(await bed().call('PUT', '/v2.0/quotas/quoted', { quota: { network: -2 } }, ADMIN))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
    expect(fault(await bed().call('PUT', '/v2.0/quotas/quoted', { quota: { nonsense: 2 } }, ADMIN))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
  });

  it('can be refused below what is used, where that is asked for', async () => {
    const as = { project: 'checked' };
    await make.network({}, as);
    const set = (quota: object) => bed().call('PUT', '/v2.0/quotas/checked', { quota }, ADMIN);
    const refused = { status: 400, type: 'HTTPBadRequest' };
    expect(fault(await set({ network: 0, port: 7, check_limit: true }))).toEqual(refused);
    expect(one(await bed().call('GET', '/v2.0/quotas/checked', undefined, as), 'quota')['port']).not.toBe(7);
    expect(one(await set({ network: -1, check_limit: true }), 'quota')['network']).toBe(-1);
    expect(one(await set({ network: '1', check_limit: 'True' }), 'quota')['network']).toBe(1);
    expect(one(await set({ network: 0 }), 'quota')['network']).toBe(0);
    expect(one(await set({ network: 0, force: true }), 'quota')['network']).toBe(0);
    for (const bad of ['many', '', '1.5', 1.5, null, true, [1], 2 ** 31, '99999999999', -2])
      expect([bad, fault(await set({ port: bad }))]).toEqual([bad, refused]);
  });

  it('are those of the own project where none is named', async () => {
    const as = { project: 'mine' };
    expect((await bed().call('GET', '/v2.0/quotas/tenant.json', undefined, as)).body).toEqual({
      tenant: { tenant_id: 'mine' },
    });
    expect((await bed().call('GET', '/v2.0/quotas/project', undefined, as)).body).toEqual({
      project: { project_id: 'mine' },
    });
    expect((await bed().call('GET', '/v2.0/quotas', undefined, as)).status).toBe(403);
    expect((await bed().call('DELETE', '/v2.0/quotas/mine', undefined, as)).status).toBe(403);
    expect((await bed().call('GET', '/v2.0/quotas/unknown/details', undefined, ADMIN)).status).toBe(200);
  });
});
