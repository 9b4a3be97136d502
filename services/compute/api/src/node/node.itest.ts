import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, DEMO, openStage, PORT, type Stage } from '../compute.fixture.js';

const HYPERVISOR = '55555555-5555-4555-8555-555555555555';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.boot();
});
afterAll(() => stage.close());

const ask = (method: string, path: string, at = '2.1', body?: unknown) =>
  stage.ask(method, `/v2.1${path}`, { as: ADMIN, at, ...(body ? { body } : {}) });

describe('hypervisors', () => {
  it('have small ids up to 2.52 and uuids after', async () => {
    expect((await ask('GET', '/os-hypervisors')).body.hypervisors).toEqual([
      { id: 1, hypervisor_hostname: 'node-1', state: 'up', status: 'enabled' },
    ]);
    expect((await ask('GET', '/os-hypervisors/1')).body.hypervisor).toMatchObject({
      running_vms: 1,
      vcpus_used: 1,
      memory_mb_used: 128,
    });
    expect((await ask('GET', `/os-hypervisors/${HYPERVISOR}`)).status).toBe(404);
    expect((await ask('GET', '/os-hypervisors/1', '2.53')).status).toBe(400);
    expect((await ask('GET', `/os-hypervisors/${PORT}`, '2.53')).status).toBe(404);
    const detailed = (await ask('GET', `/os-hypervisors/${HYPERVISOR}?with_servers=true`, '2.53')).body.hypervisor;
    expect(detailed).toMatchObject({ id: HYPERVISOR, servers: [{ name: 'server' }], cpu_info: { vendor: 'AMD' } });
    expect((await ask('GET', `/os-hypervisors/${HYPERVISOR}`, '2.88')).body.hypervisor).not.toHaveProperty('vcpus');
  });

  it('are searched, summed and paged', async () => {
    expect((await ask('GET', '/os-hypervisors/NODE/search')).body.hypervisors).toHaveLength(1);
    expect((await ask('GET', '/os-hypervisors/nonexistent/search')).status).toBe(404);
    expect((await ask('GET', '/os-hypervisors/node-1/servers')).body.hypervisors[0].servers).toHaveLength(1);
    expect((await ask('GET', '/os-hypervisors?hypervisor_hostname_pattern=none', '2.53')).status).toBe(404);
    expect((await ask('GET', '/os-hypervisors?limit=1', '2.33')).body.hypervisors).toHaveLength(1);
    expect((await ask('GET', '/os-hypervisors?marker=1', '2.33')).body.hypervisors).toHaveLength(0);
    expect((await ask('GET', '/os-hypervisors?marker=77', '2.33')).status).toBe(400);
    expect((await ask('GET', '/os-hypervisors?colour=red', '2.74')).status).toBe(200);
    expect((await ask('GET', '/os-hypervisors?colour=red', '2.75')).status).toBe(400);
    expect((await ask('GET', '/os-hypervisors/statistics')).body.hypervisor_statistics).toMatchObject({
      count: 1,
      vcpus: 8,
      running_vms: 1,
    });
    expect((await ask('GET', '/os-hypervisors/statistics', '2.88')).status).toBe(404);
  });

  it('are for administrators', async () => {
    for (const path of ['', '/detail', '/1', '/statistics', '/1/uptime', '/node/search', '/node/servers'])
      expect((await stage.ask('GET', `/v2.1/os-hypervisors${path}`, { as: DEMO })).status).toBe(403);
  });
});

describe('services', () => {
  const heard: (string | undefined)[] = [];
  beforeAll(async () => {
    await stage.scratch.db.listen('compute_node', (name) => heard.push(name));
  });

  it('are disabled and enabled by name, and the worker hears of it', async () => {
    const target = { host: 'node-1', binary: 'nova-compute' };
    expect((await ask('PUT', '/os-services/disable', '2.1', target)).body.service).toEqual({
      ...target,
      status: 'disabled',
    });
    const reasoned = { ...target, disabled_reason: 'maintenance' };
    expect((await ask('PUT', '/os-services/disable-log-reason', '2.1', reasoned)).body.service).toEqual({
      ...reasoned,
      status: 'disabled',
    });
    expect((await ask('GET', '/os-services')).body.services[0]).toMatchObject({
      status: 'disabled',
      disabled_reason: 'maintenance',
    });
    expect((await ask('GET', '/os-hypervisors/statistics')).body.hypervisor_statistics.count).toBe(0);
    expect((await ask('PUT', '/os-services/enable', '2.1', target)).body.service.status).toBe('enabled');
    expect(
      (await ask('PUT', '/os-services/force-down', '2.11', { ...target, forced_down: true })).body.service.forced_down,
    ).toBe(true);
    expect((await ask('GET', '/os-services')).body.services[0].state).toBe('down');
    expect((await ask('PUT', '/os-services/enable', '2.1', { ...target, host: 'none' })).status).toBe(404);
    expect((await ask('PUT', '/os-services/enable', '2.1', { ...target, binary: 'x' })).status).toBe(404);
    expect(heard).toEqual(Array.from({ length: 4 }, () => 'node-1'));
  });

  it('are changed by uuid from 2.53 on', async () => {
    const [{ id }] = (await ask('GET', '/os-services', '2.53')).body.services;
    const path = `/os-services/${id}`;
    expect(
      (await ask('PUT', path, '2.53', { status: 'disabled', disabled_reason: 'x', forced_down: false })).body.service,
    ).toMatchObject({ status: 'disabled', disabled_reason: 'x', state: 'up' });
    expect((await ask('PUT', path, '2.53', { disabled_reason: 'x' })).status).toBe(400);
    expect((await ask('PUT', path, '2.53', {})).status).toBe(400);
    expect((await ask('PUT', path, '2.53', { status: 'enabled' })).body.service).toMatchObject({
      status: 'enabled',
      disabled_reason: null,
    });
    expect((await ask('PUT', `/os-services/${PORT}`, '2.53', { status: 'enabled' })).status).toBe(404);
    expect((await ask('PUT', path, '2.52', { status: 'enabled' })).status).toBe(404);
  });

  it('are filtered', async () => {
    expect((await ask('GET', '/os-services?binary=nova-compute&host=node-1')).body.services).toHaveLength(1);
    expect((await ask('GET', '/os-services?binary=xxx')).body.services).toEqual([]);
    expect((await ask('GET', '/os-services?host=xxx')).body.services).toEqual([]);
    expect((await ask('GET', '/os-services?xxx=nova-compute')).body.services).toHaveLength(1);
    expect((await ask('GET', '/os-services?xxx=nova-compute', '2.75')).status).toBe(400);
    expect((await stage.ask('GET', '/v2.1/os-services', { as: DEMO })).status).toBe(403);
  });
});

describe('zones', () => {
  it('are shown to all, their hosts to administrators', async () => {
    const answer = await stage.ask('GET', '/v2.1/os-availability-zone', { as: DEMO });
    expect(answer.body).toEqual({
      availabilityZoneInfo: [{ zoneName: 'nova', zoneState: { available: true }, hosts: null }],
    });
    expect((await stage.ask('GET', '/v2.1/os-availability-zone/detail', { as: DEMO })).status).toBe(403);
    expect(Object.keys((await ask('GET', '/os-availability-zone/detail')).body.availabilityZoneInfo[0].hosts)).toEqual([
      'node-1',
    ]);
  });

  it('take a host by force from administrators', async () => {
    const order = (availability_zone: string) => ({
      server: { name: 's', imageRef: '11111111-1111-4111-8111-111111111111', flavorRef: '1', availability_zone },
    });
    expect((await ask('POST', '/servers', '2.1', order('nova:node-1'))).status).toBe(202);
    expect((await ask('POST', '/servers', '2.1', order('nova:node-9'))).status).toBe(400);
    const [task] = await stage.scratch.db.query<{ input: object }>(
      `select input from task order by created_at desc limit 1`,
    );
    expect(task?.input).toMatchObject({ onlyHost: 'node-1', availabilityZone: 'nova' });
  });
});

describe('usage', () => {
  it('counts hours of a period', async () => {
    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().replace('Z', '');
    await stage.scratch.db.exec(
      `update server set launched_at = now() - interval '2 hours' where launched_at is not null`,
    );
    const own = await stage.ask('GET', `/v2.1/os-simple-tenant-usage/project-demo?start=${day(-1)}&end=${day(1)}`);
    expect(own.body.tenant_usage.total_hours).toBeCloseTo(2, 1);
    expect(own.body.tenant_usage.server_usages).toHaveLength(1);
    expect(
      (await stage.ask('GET', `/v2.1/os-simple-tenant-usage/project-demo?start=${day(1)}&end=${day(-1)}`)).status,
    ).toBe(400);
    expect((await stage.ask('GET', '/v2.1/os-simple-tenant-usage')).status).toBe(403);
    expect((await ask('GET', '/os-simple-tenant-usage/')).status).toBe(404);
    expect((await stage.ask('GET', '/v2.1/os-simple-tenant-usage/project-other')).status).toBe(403);
    const all = await ask('GET', `/os-simple-tenant-usage?start=${day(-1)}&end=${day(1)}&detailed=1`);
    expect(Object.keys(all.body.tenant_usages[0])).toHaveLength(8);
  });
});
