import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Ids } from '#libs/kernel';
import { ADMIN, type Caller, DEMO, NETWORK, ORDER, openStage, PORT, type Stage } from './compute.fixture.js';
import { COMPUTE_SPACE } from './compute.space.js';

const GOLDEN = new URL('./samples.golden.json', import.meta.url);
const NOW = new Date('2026-01-02T03:04:05.678Z');
const REQUEST = 'req-00000000-0000-4000-8000-00000000000a';
const GROUP_ID = '77777777-7777-4777-8777-777777777777';
const VERSIONS = ['2.1', '2.37', COMPUTE_SPACE.max];

let counter = 0;
const ids: Ids = {
  uuid: () => {
    counter += 1;
    return `00000000-0000-4000-8000-${String(counter).padStart(12, '0')}`;
  },
  hex: () => '0'.repeat(32),
};

let stage: Stage;
const server = { active: '', building: '', broken: '' };

beforeAll(async () => {
  stage = await openStage(() => NOW, ids);
  const { db } = stage.scratch;
  server.active = await stage.boot({ body: { metadata: { k: 'v' }, user_data: 'aGVsbG8=', config_drive: true } });
  server.broken = await stage.boot({ body: { name: 'broken' } });
  server.building = await stage.boot({ body: { name: 'building' } });
  await db.exec(`update server set vm_state = 'building', task_state = 'spawning' where id = $1`, [server.building]);
  const fault = {
    code: 500,
    message: 'No valid host was found.',
    details: 'node-1: no room',
    created: NOW.toISOString(),
  };
  await db.exec(`update server set vm_state = 'error', fault = $2 where id = $1`, [
    server.broken,
    JSON.stringify(fault),
  ]);
  await stage.ask('PUT', `/v2.1/servers/${server.active}/tags`, { at: '2.26', body: { tags: ['b', 'a'] } });
  await db.exec(`update task set request_id = $2, created_at = $3, started_at = $3, finished_at = $3 where key = $1`, [
    `server/${server.active}`,
    REQUEST,
    NOW,
  ]);
  await db.exec(
    `insert into task_step (task_id, step, direction, started_at, done_at, outcome, fence)
       select id, 'claim', 'do', $2, $2, 'done', 1 from task where key = $1`,
    [`server/${server.active}`, NOW],
  );
  const flavor = { name: 'secret', ram: 64, vcpus: 1, disk: 1, id: 'secret', 'os-flavor-access:is_public': false };
  await stage.ask('POST', '/v2.1/flavors', { as: ADMIN, body: { flavor } });
  const aggregate = { name: 'a', availability_zone: 'nova' };
  await stage.ask('POST', '/v2.1/os-aggregates', { as: ADMIN, body: { aggregate } });
  await db.exec(
    `insert into server_group (id, project_id, user_id, name, policy, max_per_host, created_at)
       values ($1, $2, $3, 'g', 'anti-affinity', 2, $4)`,
    [GROUP_ID, DEMO.project, DEMO.user, NOW],
  );
  const access = { addTenantAccess: { tenant: 'project-demo' } };
  await stage.ask('POST', '/v2.1/flavors/secret/action', { as: ADMIN, body: access });
  const public_key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGcXn7Rh2rC0i8+4c9wRrh+UzrHbKUJdHZaB7Jd8cJ0q demo';
  await stage.ask('POST', '/v2.1/os-keypairs', { body: { keypair: { name: 'key', public_key } } });
  await db.exec(`update node set service_id = $1, last_seen = $2`, [PORT, NOW]);
});
afterAll(() => stage.close());

type Ask = readonly [title: string, as: Caller, method: string, path: () => string, body?: unknown, until?: string];

const ASKS: readonly Ask[] = [
  ['versions', DEMO, 'GET', () => '/'],
  ['version', DEMO, 'GET', () => '/v2.1/'],
  ['extension', DEMO, 'GET', () => '/v2.1/extensions/os-hosts'],
  ['flavors', DEMO, 'GET', () => '/v2.1/flavors?limit=2'],
  ['flavors detail', DEMO, 'GET', () => '/v2.1/flavors/detail?limit=1'],
  ['flavor', DEMO, 'GET', () => '/v2.1/flavors/1'],
  ['flavor extra specs', DEMO, 'GET', () => '/v2.1/flavors/1/os-extra_specs'],
  ['server', DEMO, 'GET', () => `/v2.1/servers/${server.active}`],
  ['server for an administrator', ADMIN, 'GET', () => `/v2.1/servers/${server.active}`],
  ['server being built', DEMO, 'GET', () => `/v2.1/servers/${server.building}`],
  ['server in error', DEMO, 'GET', () => `/v2.1/servers/${server.broken}`],
  ['server in error for an administrator', ADMIN, 'GET', () => `/v2.1/servers/${server.broken}`],
  ['servers', DEMO, 'GET', () => '/v2.1/servers?limit=1'],
  ['servers detail', DEMO, 'GET', () => '/v2.1/servers/detail?limit=1&sort_key=display_name&sort_dir=desc'],
  ['server updated', DEMO, 'PUT', () => `/v2.1/servers/${server.active}`, { server: { name: 'renamed' } }],
  ['server updated by an administrator', ADMIN, 'PUT', () => `/v2.1/servers/${server.active}`, { server: {} }],
  ['addresses', DEMO, 'GET', () => `/v2.1/servers/${server.active}/ips`],
  ['addresses of a network', DEMO, 'GET', () => `/v2.1/servers/${server.active}/ips/demo`],
  ['metadata', DEMO, 'GET', () => `/v2.1/servers/${server.active}/metadata`],
  ['metadata item', DEMO, 'GET', () => `/v2.1/servers/${server.active}/metadata/k`],
  ['tags', DEMO, 'GET', () => `/v2.1/servers/${server.active}/tags`],
  ['interfaces', DEMO, 'GET', () => `/v2.1/servers/${server.active}/os-interface`],
  ['interface', DEMO, 'GET', () => `/v2.1/servers/${server.active}/os-interface/${PORT}`],
  ['security groups', DEMO, 'GET', () => `/v2.1/servers/${server.active}/os-security-groups`],
  [
    'console output',
    DEMO,
    'POST',
    () => `/v2.1/servers/${server.active}/action`,
    { 'os-getConsoleOutput': { length: 2 } },
  ],
  ['instance actions', DEMO, 'GET', () => `/v2.1/servers/${server.active}/os-instance-actions`],
  ['instance action', DEMO, 'GET', () => `/v2.1/servers/${server.active}/os-instance-actions/${REQUEST}`],
  [
    'instance action for an administrator',
    ADMIN,
    'GET',
    () => `/v2.1/servers/${server.active}/os-instance-actions/${REQUEST}`,
  ],
  ['limits', DEMO, 'GET', () => '/v2.1/limits'],
  ['quota set', DEMO, 'GET', () => '/v2.1/os-quota-sets/project-demo'],
  ['quota set detail', DEMO, 'GET', () => '/v2.1/os-quota-sets/project-demo/detail'],
  ['quota set updated', ADMIN, 'PUT', () => '/v2.1/os-quota-sets/project-x', { quota_set: { cores: '30' } }],
  ['quota class set', ADMIN, 'GET', () => '/v2.1/os-quota-class-sets/default'],
  [
    'quota class set updated',
    ADMIN,
    'PUT',
    () => '/v2.1/os-quota-class-sets/default',
    { quota_class_set: { ram: 51200 } },
  ],
  ['hypervisors', ADMIN, 'GET', () => '/v2.1/os-hypervisors'],
  ['hypervisors detail', ADMIN, 'GET', () => '/v2.1/os-hypervisors/detail'],
  ['hypervisor statistics', ADMIN, 'GET', () => '/v2.1/os-hypervisors/statistics'],
  ['hypervisor', ADMIN, 'GET', () => '/v2.1/os-hypervisors/1'],
  ['hypervisor by uuid', ADMIN, 'GET', () => '/v2.1/os-hypervisors/55555555-5555-4555-8555-555555555555'],
  ['hypervisor uptime', ADMIN, 'GET', () => '/v2.1/os-hypervisors/1/uptime'],
  ['hypervisor search', ADMIN, 'GET', () => '/v2.1/os-hypervisors/node/search'],
  ['hypervisor servers', ADMIN, 'GET', () => '/v2.1/os-hypervisors/node/servers'],
  ['services', ADMIN, 'GET', () => '/v2.1/os-services'],
  ['service disabled', ADMIN, 'PUT', () => '/v2.1/os-services/disable', { host: 'node-1', binary: 'nova-compute' }],
  ['service enabled', ADMIN, 'PUT', () => '/v2.1/os-services/enable', { host: 'node-1', binary: 'nova-compute' }],
  ['service updated', ADMIN, 'PUT', () => `/v2.1/os-services/${PORT}`, { status: 'enabled' }],
  ['zones', DEMO, 'GET', () => '/v2.1/os-availability-zone'],
  ['zones detail', ADMIN, 'GET', () => '/v2.1/os-availability-zone/detail'],
  ['hosts', ADMIN, 'GET', () => '/v2.1/os-hosts'],
  ['host', ADMIN, 'GET', () => '/v2.1/os-hosts/node-1'],
  [
    'usage',
    DEMO,
    'GET',
    () => '/v2.1/os-simple-tenant-usage/project-demo?start=2026-01-01T00:00:00&end=2026-01-03T00:00:00',
  ],
  ['usages', ADMIN, 'GET', () => '/v2.1/os-simple-tenant-usage?start=2026-01-01T00:00:00&end=2026-01-03T00:00:00'],
  ['audit log', ADMIN, 'GET', () => '/v2.1/os-instance_usage_audit_log'],
  ['migrations', ADMIN, 'GET', () => '/v2.1/os-migrations'],
  ['migrations of a server', ADMIN, 'GET', () => `/v2.1/servers/${server.active}/migrations`],
  ['topology', DEMO, 'GET', () => `/v2.1/servers/${server.active}/topology`],
  ['volume attachments', DEMO, 'GET', () => `/v2.1/servers/${server.active}/os-volume_attachments`],
  [
    'external events',
    ADMIN,
    'POST',
    () => '/v2.1/os-server-external-events',
    { events: [{ name: 'network-changed', server_uuid: NETWORK }] },
  ],
  ['gone', DEMO, 'GET', () => '/v2.1/os-cells'],
  ['aggregates', ADMIN, 'GET', () => '/v2.1/os-aggregates'],
  ['aggregate made', ADMIN, 'POST', () => '/v2.1/os-aggregates', { aggregate: { name: 'b' } }],
  ['aggregate', ADMIN, 'GET', () => '/v2.1/os-aggregates/1'],
  ['node added', ADMIN, 'POST', () => '/v2.1/os-aggregates/1/action', { add_host: { host: 'node-1' } }],
  ['server groups', DEMO, 'GET', () => '/v2.1/os-server-groups'],
  ['server group', DEMO, 'GET', () => `/v2.1/os-server-groups/${GROUP_ID}`],
  ['flavor access', ADMIN, 'GET', () => '/v2.1/flavors/secret/os-flavor-access'],
  ['keypairs', DEMO, 'GET', () => '/v2.1/os-keypairs'],
  ['keypair', DEMO, 'GET', () => '/v2.1/os-keypairs/key'],
  ['bad request', DEMO, 'POST', () => '/v2.1/servers', { server: { ...ORDER, name: '' } }],
  ['not found', DEMO, 'GET', () => `/v2.1/servers/${NETWORK}`],
  ['forbidden', DEMO, 'GET', () => '/v2.1/os-services'],
  ['conflict', DEMO, 'POST', () => `/v2.1/servers/${server.active}/action`, { 'os-start': null }],
];

it('answers as the committed samples', async () => {
  const samples: Record<string, Record<string, unknown>> = {};
  for (const [title, as, method, path, body] of ASKS) {
    const answers: Record<string, unknown> = {};
    for (const at of VERSIONS) {
      const answer = await stage.ask(method, path(), { as, at, ...(body ? { body } : {}) });
      answers[at] = { status: answer.status, body: answer.body };
    }
    samples[title] = answers;
  }
  const text = `${JSON.stringify(samples, null, 1)}\n`;
  if (process.env['UPDATE_GOLDEN']) writeFileSync(GOLDEN, text);
  expect(samples).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')));
});
