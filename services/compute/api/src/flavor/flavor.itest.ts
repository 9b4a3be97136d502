import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, DEMO, ORDER, OTHER, openStage, type Stage } from '../compute.fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const BASE = { name: 'f', ram: 512, vcpus: 1, disk: 10 };
const make = (flavor: Record<string, unknown>, at?: string) =>
  stage.ask('POST', '/v2.1/flavors', { as: ADMIN, body: { flavor }, ...(at ? { at } : {}) });
const names = async (query: string, as = DEMO) => {
  const answer = await stage.ask('GET', `/v2.1/flavors${query}`, { as });
  return answer.status === 200 ? answer.body.flavors.map(({ name }: { name: string }) => name) : answer.status;
};

describe('making flavors', () => {
  it('takes ids of any kind and numbers as text', async () => {
    const made = await make({
      ...BASE,
      id: 1234,
      ram: '1024',
      swap: '512',
      rxtx_factor: '2.5',
      'OS-FLV-EXT-DATA:ephemeral': 3,
    });
    expect(made.status).toBe(200);
    expect(made.body.flavor).toMatchObject({
      id: '1234',
      ram: 1024,
      swap: 512,
      rxtx_factor: 2.5,
      'OS-FLV-EXT-DATA:ephemeral': 3,
    });
    const unnamed = [
      (await make({ ...BASE, name: 'g', id: null })).body.flavor,
      (await make({ ...BASE, name: 'h' })).body.flavor,
      (await make({ ...BASE, name: 'i', description: 'd' }, '2.75')).body.flavor,
    ];
    expect(unnamed[0].id).toMatch(/^[0-9a-f-]{36}$/);
    expect(unnamed[1]).toMatchObject({ swap: '', rxtx_factor: 1 });
    expect(unnamed[2]).toMatchObject({ swap: 0, description: 'd', extra_specs: {} });
    // Lists are by id, and these have random ones.
    for (const { id } of unnamed) await stage.ask('DELETE', `/v2.1/flavors/${id}`, { as: ADMIN });
  });

  it.each([
    [{ name: 'x' }, 400],
    [{ ...BASE, ram: 0 }, 400],
    [{ ...BASE, ram: '-1' }, 400],
    [{ ...BASE, ram: 'much' }, 400],
    [{ ...BASE, vcpus: 2 ** 31 }, 400],
    [{ ...BASE, vcpus: String(2 ** 31) }, 400],
    [{ ...BASE, disk: -1 }, 400],
    [{ ...BASE, id: ' x' }, 400],
    [{ ...BASE, id: 'a/b' }, 400],
    [{ ...BASE, rxtx_factor: 0 }, 400],
    [{ ...BASE, description: 'too early' }, 400],
    [{ ...BASE, name: '' }, 400],
    [{ ...BASE, colour: 1 }, 400],
    [{ ...BASE, name: 'other', id: '1' }, 409],
    [{ ...BASE, name: 'm1.nano' }, 409],
  ])('refuses %j', async (flavor, status) => {
    expect((await make(flavor)).status).toBe(status);
  });

  it('is for administrators', async () => {
    expect((await stage.ask('POST', '/v2.1/flavors', { body: { flavor: BASE } })).status).toBe(403);
    expect((await stage.ask('DELETE', '/v2.1/flavors/1')).status).toBe(403);
    expect(
      (await stage.ask('PUT', '/v2.1/flavors/1', { at: '2.55', body: { flavor: { description: 'x' } } })).status,
    ).toBe(403);
    expect((await stage.ask('DELETE', '/v2.1/flavors/none', { as: ADMIN })).status).toBe(404);
  });

  it('changes the description and deletes', async () => {
    const change = { as: ADMIN, at: '2.55', body: { flavor: { description: 'new' } } };
    expect((await stage.ask('PUT', '/v2.1/flavors/1234', change)).body.flavor.description).toBe('new');
    expect((await stage.ask('PUT', '/v2.1/flavors/1234', { ...change, at: '2.54' })).status).toBe(404);
    const gone = await stage.ask('DELETE', '/v2.1/flavors/1234', { as: ADMIN });
    expect([gone.status, gone.body]).toEqual([202, undefined]);
    expect((await stage.ask('GET', '/v2.1/flavors/1234')).status).toBe(404);
  });
});

describe('listing flavors', () => {
  it.each([
    ['?limit=1', ['m1.nano']],
    ['?limit=1&marker=1', ['m1.micro']],
    ['?minRam=150&limit=1', ['m1.micro']],
    ['?minDisk=11', []],
    ['?minRam=lots', 400],
    ['?marker=none', 400],
    ['?limit=-1', 400],
    ['?sort_key=memory_mb&sort_dir=asc&limit=1', ['m1.zero']],
    ['?sort_key=bogus', 400],
    ['?sort_dir=up', 400],
  ])('%s', async (query, expected) => {
    expect(await names(query)).toEqual(expected);
  });

  it('links the next page', async () => {
    const { body } = await stage.ask('GET', '/v2.1/flavors/detail?limit=2');
    expect(body.flavors_links[0].href).toBe('http://cloud/compute/v2.1/flavors/detail?limit=2&marker=2');
  });
});

describe('private flavors', () => {
  it('are seen and used by those who were given access', async () => {
    const { id } = (await make({ ...BASE, ram: 64, disk: 1, name: 'private', 'os-flavor-access:is_public': 'False' }))
      .body.flavor;
    expect(await names('')).not.toContain('private');
    expect(await names('', ADMIN)).not.toContain('private');
    for (const word of ['f', 'false', 'no', '0', 'None'])
      expect(await names(`?is_public=${word}`, ADMIN)).toContain('private');
    expect(await names('?is_public=None')).not.toContain('private');
    expect(await names('?is_public=perhaps', ADMIN)).toBe(400);
    expect((await stage.ask('GET', `/v2.1/flavors/${id}`)).status).toBe(404);
    const order = { body: { server: { ...ORDER, flavorRef: id } } };
    expect((await stage.ask('POST', '/v2.1/servers', order)).status).toBe(400);

    const act = (body: unknown, as = ADMIN, at = '2.1') =>
      stage.ask('POST', `/v2.1/flavors/${id}/action`, { as, at, body });
    const add = { addTenantAccess: { tenant: 'project-demo' } };
    expect((await act(add, DEMO)).status).toBe(403);
    expect((await act(add)).body).toEqual({ flavor_access: [{ flavor_id: id, tenant_id: 'project-demo' }] });
    expect((await act(add)).status).toBe(409);
    expect(await names('')).toContain('private');
    expect(await names('', OTHER)).not.toContain('private');
    expect((await stage.ask('POST', '/v2.1/servers', order)).status).toBe(202);
    expect((await act({ removeTenantAccess: { tenant: 'project-demo' } })).body).toEqual({ flavor_access: [] });
    expect((await act({ removeTenantAccess: { tenant: 'project-demo' } })).status).toBe(404);
    expect((await act({ dance: {} })).status).toBe(400);
    expect((await stage.ask('GET', '/v2.1/flavors/1/os-flavor-access', { as: ADMIN })).status).toBe(404);
    const publicly = { as: ADMIN, at: '2.7', body: add };
    expect((await stage.ask('POST', '/v2.1/flavors/1/action', publicly)).status).toBe(409);
  });
});

describe('extra specs', () => {
  const path = '/v2.1/flavors/2/os-extra_specs';
  const admin = (method: string, suffix = '', body?: unknown, at = '2.1') =>
    stage.ask(method, `${path}${suffix}`, { as: ADMIN, at, ...(body ? { body } : {}) });

  it('are set, read, changed one by one and removed', async () => {
    const specs = { 'hw:numa_nodes': '1', 'hw:cpu_policy': 'shared' };
    expect((await admin('POST', '', { extra_specs: specs })).body).toEqual({ extra_specs: specs });
    expect((await stage.ask('GET', path)).body).toEqual({ extra_specs: specs });
    expect((await admin('PUT', '/hw:numa_nodes', { 'hw:numa_nodes': 2 })).body).toEqual({ 'hw:numa_nodes': '2' });
    expect((await stage.ask('GET', `${path}/hw:numa_nodes`)).body).toEqual({ 'hw:numa_nodes': '2' });
    expect((await admin('PUT', '/hw:numa_nodes', { 'hw:cpu_policy': 'shared' })).status).toBe(400);
    expect((await admin('PUT', '/hw:numa_nodes', specs)).status).toBe(400);
    expect((await admin('DELETE', '/hw:numa_nodes')).status).toBe(200);
    expect((await admin('DELETE', '/hw:numa_nodes')).status).toBe(404);
    expect((await stage.ask('GET', `${path}/hw:numa_nodes`)).status).toBe(404);
    for (const [method, suffix, body] of [
      ['POST', '', { extra_specs: specs }],
      ['PUT', '/hw:numa_nodes', { 'hw:numa_nodes': '1' }],
      ['DELETE', '/hw:cpu_policy', undefined],
    ] as const)
      expect((await stage.ask(method, `${path}${suffix}`, body ? { body } : {})).status).toBe(403);
  });

  it('must have sound keys, and sound values from 2.86 on', async () => {
    expect((await admin('POST', '', { extra_specs: { 'a/b': 'x' } })).status).toBe(400);
    expect((await admin('POST', '', { extra_specs: { a: { b: 1 } } })).status).toBe(400);
    expect((await admin('POST', '', { extra_specs: { 'hw:cpu_policies': 'shared' } }, '2.85')).status).toBe(200);
    expect((await admin('POST', '', { extra_specs: { 'hw:cpu_policies': 'shared' } }, '2.86')).status).toBe(400);
    expect((await admin('PUT', '/hw:cpu_policy', { 'hw:cpu_policy': 'sharde' }, '2.86')).status).toBe(400);
    expect(
      (
        await admin(
          'POST',
          '',
          { extra_specs: { 'foo:bar': 'x', 'hw:cpu_policy': 'shared', 'trait:A': 'required' } },
          '2.86',
        )
      ).status,
    ).toBe(200);
  });
});
