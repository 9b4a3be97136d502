/** Flavors and their profiles, and routers of a flavor. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ADMIN, fault, many, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed();
const DRIVER = 'neutron.services.ovn_l3.service_providers.ovn.OvnDriver';
const admin = (method: string, path: string, body?: object) => bed().call(method, `/v2.0/${path}`, body, ADMIN);
const member = (method: string, path: string, body?: object) => bed().call(method, `/v2.0/${path}`, body);

const flavor = async (body: object = {}): Promise<Row> =>
  one(await admin('POST', 'flavors', { flavor: { name: 'f', service_type: 'L3_ROUTER_NAT', ...body } }), 'flavor');
const profile = async (body: object = {}): Promise<Row> =>
  one(await admin('POST', 'service_profiles', { service_profile: { driver: DRIVER, ...body } }), 'service_profile');
const bind = (of: Row, id: string) => admin('POST', `flavors/${of.id}/service_profiles`, { service_profile: { id } });
const router = (flavorId: unknown) => member('POST', 'routers', { router: { name: 'r', flavor_id: flavorId } });

it('keeps flavors and profiles as they are said', async () => {
  const made = await flavor({ description: 'quick', enabled: false });
  expect(made).toEqual({
    id: made.id,
    name: 'f',
    description: 'quick',
    service_type: 'L3_ROUTER_NAT',
    enabled: false,
    service_profiles: [],
  });
  const data = await profile({ driver: '', metainfo: '{"data": "value"}', description: 'd' });
  expect(data).toEqual({ id: data.id, description: 'd', driver: '', metainfo: '{"data": "value"}', enabled: true });
  expect(
    one(await admin('PUT', `flavors/${made.id}`, { flavor: { name: 'g', enabled: true } }), 'flavor'),
  ).toMatchObject({
    name: 'g',
    enabled: true,
    description: 'quick',
  });
  const off = await admin('PUT', `service_profiles/${data.id}`, { service_profile: { enabled: false } });
  expect(one(off, 'service_profile')).toEqual({ ...data, enabled: false });
  expect((await bind(made, data.id)).status).toBe(201);
  expect(fault(await bind(made, data.id))).toEqual({ status: 409, type: 'FlavorServiceProfileBindingExists' });
  const found = many(
    await member('GET', `flavors?service_profiles=${data.id}&fields=id&fields=service_profiles`),
    'flavors',
  );
  expect(found).toEqual([{ id: made.id, service_profiles: [data.id] }]);
  const change = { service_profile: { description: 'new' } };
  const inUse = { status: 409, type: 'ServiceProfileInUse' };
  expect(fault(await admin('PUT', `service_profiles/${data.id}`, change))).toEqual(inUse);
  expect(fault(await admin('DELETE', `service_profiles/${data.id}`))).toEqual(inUse);
  expect((await admin('DELETE', `flavors/${made.id}/service_profiles/${data.id}`)).status).toBe(204);
  const gone = { status: 404, type: 'FlavorServiceProfileBindingNotFound' };
  expect(fault(await admin('DELETE', `flavors/${made.id}/service_profiles/${data.id}`))).toEqual(gone);
  expect((await admin('DELETE', `service_profiles/${data.id}`)).status).toBe(204);
  expect((await admin('DELETE', `flavors/${made.id}`)).status).toBe(204);
  expect(fault(await member('GET', `flavors/${made.id}`))).toEqual({ status: 404, type: 'FlavorNotFound' });
});

describe('a router', () => {
  it('is made of a flavor, which stays while it does', async () => {
    const made = await flavor();
    await bind(made, (await profile()).id);
    const mine = one(await router(made.id), 'router');
    expect(mine['flavor_id']).toBe(made.id);
    expect(many(await member('GET', `routers?flavor_id=${made.id}`), 'routers').map((row) => row.id)).toEqual([
      mine.id,
    ]);
    expect(fault(await admin('DELETE', `flavors/${made.id}`))).toEqual({ status: 409, type: 'FlavorInUse' });
    await member('DELETE', `routers/${mine.id}`);
    expect((await admin('DELETE', `flavors/${made.id}`)).status).toBe(204);
    expect(one(await router(null), 'router')['flavor_id']).toBeNull();
  });

  it.each([
    ['nobody knows', 404, 'FlavorNotFound', () => Promise.resolve(randomUUID())],
    ['has no profile', 404, 'FlavorServiceProfileBindingNotFound', async () => (await flavor()).id],
    ['is off', 503, 'FlavorDisabled', async () => (await flavor({ enabled: false })).id],
    ['has a profile that is off', 503, 'ServiceProfileDisabled', () => of({ enabled: false })],
    ['has no driver', 404, 'ServiceProfileDriverNotFound', () => of({ driver: '', metainfo: '{}' })],
  ])('is not made of a flavor that %s', async (_, status, type, flavorOf) => {
    const before = many(await member('GET', 'routers'), 'routers').length;
    expect(fault(await router(await flavorOf()))).toEqual({ status, type });
    expect(many(await member('GET', 'routers'), 'routers')).toHaveLength(before);
  });

  const of = async (body: object): Promise<string> => {
    const made = await flavor();
    await bind(made, (await profile(body)).id);
    return made.id;
  };
});

it.each([
  ['flavors', { flavor: { name: 'x', service_type: 'FIREWALL' } }, 400],
  ['flavors', { flavor: { name: 'x' } }, 400],
  ['flavors', { flavor: { name: 'x', service_type: 'L3_ROUTER_NAT', id: randomUUID() } }, 400],
  ['service_profiles', { service_profile: {} }, 400],
  ['service_profiles', { service_profile: { driver: 'elsewhere' } }, 404],
])('refuses a POST to %s of %o', async (path, body, status) => {
  expect((await admin('POST', path, body)).status).toBe(status);
});

it('lets administrators alone make flavors, and shows profiles to nobody else', async () => {
  const wish = { flavor: { name: 'f', service_type: 'L3_ROUTER_NAT' } };
  expect((await member('POST', 'flavors', wish)).status).toBe(403);
  expect((await member('POST', 'service_profiles', { service_profile: { driver: DRIVER } })).status).toBe(403);
  const { id } = await profile();
  expect((await member('GET', 'service_profiles')).status).toBe(403);
  expect((await member('GET', `service_profiles/${id}`)).status).toBe(404);
  expect(one(await admin('GET', `service_profiles/${id}`), 'service_profile').id).toBe(id);
});
