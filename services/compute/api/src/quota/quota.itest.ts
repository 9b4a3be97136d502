import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, DEMO, ORDER, OTHER, openStage, type Stage } from '../compute.fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const set = (quota_set: Record<string, unknown>, query = '', as = ADMIN, at = '2.1') =>
  stage.ask('PUT', `/v2.1/os-quota-sets/project-demo${query}`, { as, at, body: { quota_set } });
const get = async (query = '', as = DEMO, at = '2.1') =>
  (await stage.ask('GET', `/v2.1/os-quota-sets/project-demo${query}`, { as, at })).body.quota_set;

describe('quota sets', () => {
  it('are the defaults until changed, and again after deletion', async () => {
    expect(await get()).toEqual(await get('/defaults'));
    expect((await set({ ram: '5120', force: 'True' })).body.quota_set).toMatchObject({ ram: 5120, cores: 20 });
    expect((await get()).ram).toBe(5120);
    expect((await set({ ram: 1 }, '', DEMO)).status).toBe(403);
    const gone = await stage.ask('DELETE', '/v2.1/os-quota-sets/project-demo', { as: ADMIN });
    expect([gone.status, gone.body]).toEqual([202, undefined]);
    expect((await get()).ram).toBe(51_200);
  });

  it('hide what newer versions dropped', async () => {
    expect(Object.keys(await get('', DEMO, '2.35'))).toContain('floating_ips');
    expect(Object.keys(await get('', DEMO, '2.36'))).not.toContain('floating_ips');
    expect(Object.keys(await get('', DEMO, '2.57'))).not.toContain('injected_files');
    expect((await set({ floating_ips: 5 }, '', ADMIN, '2.35')).status).toBe(200);
    expect((await set({ floating_ips: 5 }, '', ADMIN, '2.36')).status).toBe(400);
  });

  it.each([[{ ram: -2 }], [{ ram: 'lots' }], [{ ram: 2 ** 31 }], [{ colour: 1 }], [{ ram: null }]])(
    'refuse %j',
    async (quota) => {
      expect((await set(quota)).status).toBe(400);
    },
  );

  it('belong to projects', async () => {
    expect((await stage.ask('GET', '/v2.1/os-quota-sets/project-demo', { as: OTHER })).status).toBe(403);
    expect((await stage.ask('GET', '/v2.1/os-quota-sets/project-demo/defaults', { as: OTHER })).status).toBe(200);
  });

  it('bind what is made, and are not set below what is used without force', async () => {
    for (const resource of ['cores', 'ram', 'instances']) {
      await set({ [resource]: 0, force: true });
      const refused = await stage.ask('POST', '/v2.1/servers', { body: { server: ORDER } });
      expect([refused.status, refused.body.forbidden.message]).toEqual([403, expect.stringContaining(resource)]);
      await set({ [resource]: 1_000 });
    }
    await stage.boot();
    expect((await set({ ram: 100 })).status).toBe(400);
    expect((await set({ ram: 128 })).status).toBe(200);
    const detail = await get('/detail');
    expect(detail.ram).toEqual({ limit: 128, in_use: 128, reserved: 0 });
    await set({ ram: -1 });
  });

  it('have a part for each user', async () => {
    const query = '?user_id=user-demo';
    await set({ instances: 5 });
    expect((await set({ instances: 6 }, query)).status).toBe(400);
    await set({ instances: 2 }, query);
    expect((await get(query)).instances).toBe(2);
    expect((await get()).instances).toBe(5);
    const order = () => stage.ask('POST', '/v2.1/servers', { body: { server: ORDER } });
    const statuses = (await Promise.all([order(), order(), order()])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([202, 403, 403]);
    const friend = { ...DEMO, user: 'user-friend' };
    expect((await stage.ask('POST', '/v2.1/servers', { as: friend, body: { server: ORDER } })).status).toBe(202);
    await stage.ask('DELETE', `/v2.1/os-quota-sets/project-demo${query}`, { as: ADMIN });
    expect((await get(query)).instances).toBe(5);
  });

  it('have defaults that can be changed', async () => {
    const path = '/v2.1/os-quota-class-sets/default';
    const before = (await stage.ask('GET', path, { as: ADMIN })).body.quota_class_set;
    const changed = await stage.ask('PUT', path, { as: ADMIN, body: { quota_class_set: { key_pairs: 222 } } });
    expect(changed.body.quota_class_set.key_pairs).toBe(222);
    expect((await stage.ask('GET', '/v2.1/limits', { as: OTHER })).body.limits.absolute.maxTotalKeypairs).toBe(222);
    const { id: _id, ...rest } = before;
    expect((await stage.ask('PUT', path, { as: ADMIN, body: { quota_class_set: rest } })).body.quota_class_set).toEqual(
      rest,
    );
    expect((await stage.ask('GET', path)).status).toBe(403);
  });
});

describe('limits', () => {
  it('tell what is used', async () => {
    const { absolute } = (await stage.ask('GET', '/v2.1/limits')).body.limits;
    expect(absolute).toMatchObject({
      maxTotalInstances: 5,
      totalInstancesUsed: 3,
      totalRAMUsed: 384,
      totalCoresUsed: 3,
    });
    expect((await stage.ask('GET', '/v2.1/limits?tenant_id=project-demo', { as: OTHER })).status).toBe(403);
    const other = await stage.ask('GET', '/v2.1/limits?tenant_id=project-demo', { as: ADMIN });
    expect(other.body.limits.absolute.totalInstancesUsed).toBe(3);
  });
});
