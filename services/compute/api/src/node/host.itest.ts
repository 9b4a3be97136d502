/** Older names of nodes, what is told of servers from outside, and operations that have nothing to show. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, type Caller, DEMO, openStage, PORT, type Stage } from '../compute.fixture.js';

const SERVICE: Caller = { user: 'user-network', project: 'project-service', roles: ['service'] };

let stage: Stage;
let server: string;
beforeAll(async () => {
  stage = await openStage();
  server = await stage.boot();
});
afterAll(() => stage.close());

const ask = (method: string, path: string, at = '2.1', body?: unknown, as: Caller = ADMIN) =>
  stage.ask(method, `/v2.1${path}`, { as, at, ...(body === undefined ? {} : { body }) });

describe('hosts', () => {
  it('are listed by zone, a blank one meaning all', async () => {
    const names = async (query: string) =>
      (await ask('GET', `/os-hosts${query}`)).body.hosts.map((host: { host_name: string }) => host.host_name);
    expect(await names('')).toEqual(['node-1']);
    expect(await names('?zone=')).toEqual(['node-1']);
    expect(await names('?zone=xxx')).toEqual([]);
    expect((await ask('GET', '/os-hosts', '2.43')).status).toBe(404);
  });

  it('show what each project takes of them', async () => {
    const { host } = (await ask('GET', '/os-hosts/node-1')).body;
    expect(host.map(({ resource }: { resource: { project: string } }) => resource.project)).toEqual([
      ...['(total)', '(used_now)', '(used_max)', 'project-demo'],
    ]);
    expect(host[3].resource).toEqual({ host: 'node-1', project: 'project-demo', cpu: 1, memory_mb: 128, disk_gb: 1 });
  });

  it('are enabled and disabled, and have neither maintenance mode nor power switch', async () => {
    expect((await ask('PUT', '/os-hosts/node-1', '2.1', { status: 'Disable' })).body).toEqual({
      host: 'node-1',
      status: 'disabled',
    });
    expect((await ask('GET', '/os-hosts')).body.hosts).toEqual([]);
    expect((await ask('PUT', '/os-hosts/node-1', '2.1', { status: 'enable' })).body.status).toBe('enabled');
    expect((await ask('PUT', '/os-hosts/node-1', '2.1', { maintenance_mode: 'enable' })).status).toBe(501);
    expect((await ask('PUT', '/os-hosts/node-1', '2.1', {})).status).toBe(400);
    expect((await ask('PUT', '/os-hosts/node-1', '2.1', { status: 'on' })).status).toBe(400);
    expect((await ask('PUT', '/os-hosts/none', '2.1', { status: 'enable' })).status).toBe(404);
    for (const power of ['startup', 'shutdown', 'reboot']) {
      expect((await ask('GET', `/os-hosts/node-1/${power}`)).status).toBe(501);
      expect((await ask('GET', `/os-hosts/none/${power}`)).status).toBe(404);
      expect((await ask('GET', `/os-hosts/node-1/${power}`, '2.1', undefined, DEMO)).status).toBe(403);
    }
  });
});

describe('a service', () => {
  it('is deleted only where no server is on its node, and placement is to forget it', async () => {
    const [{ id }] = (await ask('GET', '/os-services', '2.53')).body.services;
    expect((await ask('DELETE', `/os-services/${id}`, '2.53')).status).toBe(409);
    expect((await ask('DELETE', '/os-services/none', '2.53')).status).toBe(400);
    expect((await ask('DELETE', `/os-services/${PORT}`, '2.53')).status).toBe(404);
    expect((await ask('DELETE', '/os-services/99')).status).toBe(404);
    expect((await ask('DELETE', `/os-services/${id}`, '2.53', undefined, DEMO)).status).toBe(403);
    const { books, scratch } = stage;
    await scratch.db.exec(
      `insert into node (name, hypervisor_id, hypervisor_type, vcpus, memory_mb, disk_gb, enrolled_at, last_seen, updated_at)
         values ('node-2', $1, 'QEMU', 1, 1, 1, now(), now(), now())`,
      [PORT],
    );
    const first = (await ask('GET', '/os-hypervisors?limit=1', '2.53')).body;
    const [{ href }] = first.hypervisors_links;
    expect(href).toContain(`marker=${first.hypervisors[0].id}`);
    const next = (await ask('GET', href.slice(href.indexOf('/v2.1') + 5), '2.53')).body;
    expect(next).toEqual({ hypervisors: [expect.objectContaining({ id: PORT, hypervisor_hostname: 'node-2' })] });
    const [, second] = (await ask('GET', '/os-services')).body.services;
    expect((await ask('DELETE', `/os-services/${second.id}`)).status).toBe(204);
    expect((await ask('GET', '/os-services')).body.services).toHaveLength(1);
    expect(await books.nodes.gone(scratch.db)).toEqual(['node-2']);
    expect(await books.nodes.goneId(scratch.db, 'node-2')).toBe(PORT);
  });
});

describe('external events', () => {
  const tell = (events: unknown, at = '2.1', as: Caller = SERVICE) =>
    ask('POST', '/os-server-external-events', at, { events }, as);
  const changed = () => ({ name: 'network-changed', server_uuid: server });

  it('make compute look at the ports again', async () => {
    await stage.scratch.db.exec(
      `update server set addresses = jsonb_set(addresses, '{0,fixedIps}', '[]'), security_groups = '[]'`,
    );
    const told = await tell([changed()]);
    expect(told.status).toBe(200);
    expect(told.body).toEqual({ events: [{ ...changed(), status: 'completed', code: 200 }] });
    const shown = (await ask('GET', `/servers/${server}`)).body.server;
    expect(shown.addresses.demo).toEqual([expect.objectContaining({ addr: '10.0.0.5' })]);
    expect(shown.security_groups).toEqual([{ name: 'default' }]);
  });

  it('are answered one by one', async () => {
    const waiting = (
      await ask('POST', '/servers', '2.1', {
        server: { name: 's', imageRef: '11111111-1111-4111-8111-111111111111', flavorRef: '1' },
      })
    ).body.server.id;
    const told = await tell(
      [
        { ...changed(), tag: 'x', status: 'in-progress' },
        { name: 'network-vif-plugged', server_uuid: PORT },
        { name: 'network-vif-plugged', server_uuid: waiting },
        { name: 'volume-extended', server_uuid: server },
      ],
      '2.51',
    );
    expect(told.status).toBe(207);
    expect(told.body.events.map(({ code }: { code: number }) => code)).toEqual([200, 404, 422, 400]);
    expect(told.body.events[0]).toEqual({ ...changed(), tag: 'x', status: 'completed', code: 200 });
  });

  it('are refused from tenants and in other shapes', async () => {
    expect((await tell([changed()], '2.1', DEMO)).status).toBe(403);
    for (const bad of [
      [],
      [{ name: 'x', server_uuid: server }],
      [{ name: 'network-changed' }],
      [{ ...changed(), more: 1 }],
    ])
      expect((await tell(bad)).status).toBe(400);
    expect((await tell([{ name: 'volume-extended', server_uuid: server, tag: 'v' }], '2.50')).status).toBe(400);
    expect((await tell([{ name: 'volume-reimaged', server_uuid: server, tag: 'v' }], '2.93')).status).toBe(200);
  });
});

describe('what has nothing to show', () => {
  it('says so', async () => {
    expect((await ask('GET', '/os-migrations')).body).toEqual({ migrations: [] });
    expect((await ask('GET', '/os-migrations?colour=red', '2.58')).status).toBe(200);
    expect((await ask('GET', '/os-migrations?colour=red', '2.59')).status).toBe(400);
    expect((await ask('GET', '/os-migrations?limit=1&changes-since=2026-01-01', '2.59')).status).toBe(200);
    expect((await ask('GET', '/os-migrations?changes-since=soon', '2.59')).status).toBe(400);
    expect((await ask('GET', '/os-migrations?marker=x', '2.59')).status).toBe(400);
    expect((await ask('GET', '/os-migrations?user_id=x', '2.79')).status).toBe(400);
    const times = 'changes-since=2026-01-02&changes-before=2026-01-01';
    expect((await ask('GET', `/os-migrations?${times}`, '2.66')).status).toBe(400);
    const own = `/servers/${server}/migrations`;
    expect((await ask('GET', own, '2.23')).body).toEqual({ migrations: [] });
    expect((await ask('GET', own, '2.22')).status).toBe(404);
    expect((await ask('GET', `${own}/1`, '2.23')).status).toBe(404);
    expect((await ask('DELETE', `${own}/1`, '2.24')).status).toBe(404);
    expect((await ask('POST', `${own}/1/action`, '2.22', { force_complete: null })).status).toBe(400);
    expect((await ask('GET', `/servers/${server}/topology`, '2.78')).body).toEqual({ nodes: [], pagesize_kb: null });
    expect((await ask('GET', '/os-baremetal-nodes')).body).toEqual({ nodes: [] });
    expect((await ask('GET', '/os-baremetal-nodes/1')).status).toBe(404);
    expect((await ask('GET', '/os-volumes/detail')).body).toEqual({ volumes: [] });
    expect((await ask('GET', '/os-snapshots/1')).status).toBe(404);
    expect((await ask('POST', '/os-volumes', '2.1', { volume: { size: 1 } })).status).toBe(400);
  });

  it('gives the log of audits that no node runs', async () => {
    const { instance_usage_audit_log: log } = (await ask('GET', '/os-instance_usage_audit_log/2026-03-05%2010:00:00'))
      .body;
    expect(log).toMatchObject({
      period_beginning: '2026-02-01 00:00:00',
      period_ending: '2026-03-01 00:00:00',
      overall_status: '0 of 1 hosts done. 0 errors.',
      hosts_not_run: ['node-1'],
    });
    expect((await ask('GET', '/os-instance_usage_audit_log')).status).toBe(200);
    expect((await ask('GET', '/os-instance_usage_audit_log/2026-13-05%2010:00:00')).status).toBe(400);
    expect((await ask('GET', '/os-instance_usage_audit_log', '2.1', undefined, DEMO)).status).toBe(403);
  });

  it('has no volume of which a snapshot could be taken', async () => {
    const create_info = { snapshot_id: 's', type: 'qcow2', new_file: 'f' };
    const body = { snapshot: { volume_id: 'v', create_info } };
    expect((await ask('POST', '/os-assisted-volume-snapshots', '2.1', body)).status).toBe(400);
    const path = '/os-assisted-volume-snapshots/1';
    const told = await ask('DELETE', `${path}?delete_info=${encodeURIComponent('{"volume_id":"v"}')}`);
    expect(told.body.badRequest.message).toContain('id v');
    expect((await ask('DELETE', `${path}?delete_info=no`)).status).toBe(400);
    expect((await ask('DELETE', path)).status).toBe(400);
  });

  it('has no volume that could be attached', async () => {
    const own = `/servers/${server}/os-volume_attachments`;
    const volumeId = PORT;
    expect((await ask('GET', own, '2.1')).body).toEqual({ volumeAttachments: [] });
    expect((await ask('GET', `${own}/${volumeId}`, '2.89')).status).toBe(404);
    const attached = await ask('POST', own, '2.1', { volumeAttachment: { volumeId } });
    expect(attached.body.itemNotFound.message).toBe(`Volume ${volumeId} could not be found.`);
    expect((await ask('POST', own, '2.48', { volumeAttachment: { volumeId, tag: 't' } })).status).toBe(400);
    expect((await ask('POST', own, '2.49', { volumeAttachment: { volumeId, tag: 't' } })).status).toBe(404);
    expect((await ask('POST', own, '2.1', { volumeAttachment: { volumeId: 'none' } })).status).toBe(400);
    expect((await ask('PUT', `${own}/${volumeId}`, '2.1', { volumeAttachment: { volumeId } })).status).toBe(404);
    expect((await ask('DELETE', `${own}/${volumeId}`)).status).toBe(404);
    await ask('POST', `/servers/${server}/action`, '2.1', { lock: null });
    expect((await ask('DELETE', `${own}/${volumeId}`, '2.1', undefined, DEMO)).status).toBe(409);
    await ask('POST', `/servers/${server}/action`, '2.1', { unlock: null });
  });

  it('was taken away', async () => {
    for (const [method, path] of [
      ['GET', '/os-cells/capacities'],
      ['POST', '/os-certificates'],
      ['DELETE', '/os-networks/1'],
      ['GET', `/servers/${server}/os-virtual-interfaces`],
    ] as const)
      expect((await ask(method, path, '2.1', method === 'POST' ? {} : undefined, DEMO)).status).toBe(410);
    expect((await ask('POST', `/servers/${server}/action`, '2.1', { resetNetwork: null })).status).toBe(410);
    expect((await ask('GET', '/versions/v2.1')).body.version.id).toBe('v2.1');
    expect((await ask('GET', '/versions/v3')).status).toBe(404);
    expect((await ask('GET', '/os-volumes_boot/detail')).body.servers).toHaveLength(1);
    expect((await ask('GET', `/os-volumes_boot/${server}`)).body.server.id).toBe(server);
  });
});
