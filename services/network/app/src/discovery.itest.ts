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
    expect(aliases).not.toContain('router');
    expect((await bed().call('GET', '/v2.0/extensions/security-group')).status).toBe(200);
    expect(fault(await bed().call('GET', '/v2.0/extensions/Availability%20Zone'))).toEqual({
      status: 404,
      type: 'HTTPNotFound',
    });
    expect(many(await bed().call('GET', '/v2.0/availability_zones'), 'availability_zones')).toEqual([]);
    expect((await bed().call('GET', '/v2.0/agents', undefined, ADMIN)).body).toEqual({ agents: [] });
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
});
