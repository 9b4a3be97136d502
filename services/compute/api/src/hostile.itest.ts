import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Op } from '#libs/platform/http';
import { ADMIN, IMAGE, ORDER, openStage, type Stage } from './compute.fixture.js';
import { COMPUTE_SPACE, computeOps } from './index.js';

let stage: Stage;
let id = '';
beforeAll(async () => {
  stage = await openStage();
  id = await stage.boot({ as: ADMIN });
});
afterAll(() => stage.close());

const WORDS = [
  "'; drop table server; --",
  '%00',
  '..%2f..%2fetc%2fpasswd',
  '-1',
  '9'.repeat(40),
  '%F0%9F%92%A9',
  '%24%7B7*7%7D',
  'null',
  '%0d%0aX: y',
  '%E0%A4%A',
];
const VALUES: readonly unknown[] = [
  ...[null, 0, -1, 1.5, 1e308, '', ' ', 'x', '\u0000', '\ud800', 'x'.repeat(70_000)],
  ...[[], {}, [[]], { a: {} }, true, ['x'], { constructor: { prototype: 1 } }],
];
const PARAMETERS = `limit marker name ip status changes-since sort_key sort_dir image uuid tags user_id start end
  with_servers minRam is_public power_state created_at all_tenants __proto__ constructor`.split(/\s+/);
const FIELDS = `name imageRef flavorRef adminPass metadata networks OS-DCF:diskConfig accessIPv4 accessIPv6 personality
  availability_zone block_device_mapping block_device_mapping_v2 config_drive key_name min_count max_count
  return_reservation_id security_groups user_data description tags trusted_image_certificates host hypervisor_hostname
  hostname`.split(/\s+/);

/** The key that a row's body is wrapped in, by the end of its path. */
const KEYS: readonly (readonly [ending: RegExp, key: string])[] = [
  [/servers(?:\/:id)?$/, 'server'],
  [/flavors(?:\/:id)?$/, 'flavor'],
  [/os-keypairs$/, 'keypair'],
  [/metadata$/, 'metadata'],
  [/metadata\/:key$/, 'meta'],
  [/tags$/, 'tags'],
  [/os-extra_specs$/, 'extra_specs'],
  [/os-quota-sets\/:id$/, 'quota_set'],
  [/os-quota-class-sets\/:id$/, 'quota_class_set'],
];

const fill = (path: string, word: string): string => path.replace(/:\w+/g, word);
const known = (path: string): string =>
  fill(path, 'x').replace('/servers/x', `/servers/${id}`).replace('/flavors/x', '/flavors/1');
const isDelete = (row: Op): boolean => row.method === 'DELETE' && row.path === '/v2.1/servers/:id';

/** The row's key alone with odd values, an odd field within it, and odd values instead of an object. */
function bodies(row: Op): unknown[] {
  const key = row.action ?? KEYS.find(([ending]) => ending.test(row.path))?.[1] ?? 'x';
  return VALUES.flatMap((value) => [{ [key]: value }, { [key]: { name: value, k: value, type: value } }, value]);
}

let asked = 0;
/** The oldest and the newest version take turns. */
async function mustNotBreak(row: Op, path: string, body?: unknown): Promise<void> {
  asked += 1;
  const at = asked % 2 ? '2.1' : COMPUTE_SPACE.max;
  const answer = await stage.ask(row.method, path, { as: ADMIN, at, ...(body === undefined ? {} : { body }) });
  expect(answer.status, `${row.method} ${path} ${JSON.stringify(body)?.slice(0, 200)}`).toBeLessThan(500);
}

describe('whatever comes in, no operation breaks', () => {
  it('in the path', async () => {
    for (const row of computeOps.filter(({ path }) => path.includes(':')))
      for (const word of WORDS) await mustNotBreak(row, fill(row.path, word), row.method === 'GET' ? undefined : {});
  }, 120_000);

  it('in the query', async () => {
    const rows = computeOps.filter(({ method }) => method === 'GET');
    for (const [at, row] of rows.entries())
      for (const [index, name] of PARAMETERS.entries()) {
        const word = WORDS[(at + index) % WORDS.length];
        await mustNotBreak(row, `${known(row.path)}?${name}=${word}&${name}=${word}`);
      }
  }, 120_000);

  it('in the body', async () => {
    for (const row of computeOps.filter((candidate) => candidate.method !== 'GET' && !isDelete(candidate)))
      for (const body of bodies(row)) await mustNotBreak(row, known(row.path), JSON.stringify(body));
  }, 120_000);

  it('in any field of an order', async () => {
    const row = computeOps.find(({ method, path }) => method === 'POST' && path === '/v2.1/servers')!;
    const order = (more: Record<string, unknown>) => ({ server: { ...ORDER, networks: [], ...more } });
    for (const value of VALUES) {
      for (const field of FIELDS) {
        await mustNotBreak(row, row.path, order({ [field]: value }));
        await mustNotBreak(row, row.path, order({ [field]: [value] }));
      }
      for (const hint of ['group', 'same_host', 'different_host'])
        await mustNotBreak(row, row.path, { ...order({}), 'os:scheduler_hints': { [hint]: value } });
    }
  }, 120_000);
});

describe('the edge of the protocol', () => {
  const raw = (headers: Record<string, string>, path = '/v2.1/servers') =>
    stage.app.inject({ method: 'GET', url: path, headers });

  it('answers in the dialect of compute, version echoed', async () => {
    const answer = await stage.ask('GET', '/v2.1/servers', { at: '2.37' });
    expect(answer.headers).toMatchObject({
      'openstack-api-version': 'compute 2.37',
      'x-openstack-nova-api-version': '2.37',
      vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
    });
    expect(answer.headers['x-compute-request-id']).toBe(answer.headers['x-openstack-request-id']);
    expect((await stage.ask('GET', '/v2.1/servers', { at: '2.97' })).status).toBe(406);
    expect((await stage.ask('GET', '/v2.1/servers', { at: '2.x' })).status).toBe(400);
    const latest = await stage.ask('GET', '/v2.1/servers', { at: 'latest' });
    expect(latest.headers['openstack-api-version']).toBe(`compute ${COMPUTE_SPACE.max}`);
    expect((await stage.ask('GET', '/v2.1/nothing')).body).toHaveProperty('itemNotFound');
    expect((await stage.ask('PATCH', '/v2.1/servers')).body).toHaveProperty('badMethod');
  });

  it('needs a token for everything but the versions', async () => {
    for (const path of ['/', '/v2.1', '/v2.1/', '/v2', '/v2/']) expect((await raw({}, path)).statusCode).toBe(200);
    for (const token of ['', 'y1.k.e30.AAAA', 'x'.repeat(10_000)])
      expect((await raw({ 'x-auth-token': token })).statusCode).toBe(401);
    const forged = { 'x-user-id': 'user-admin', 'x-roles': 'admin', 'x-project-id': 'project-demo' };
    expect((await raw({ ...forged, 'x-is-admin-project': 'True' })).statusCode).toBe(401);
  });

  it('refuses bodies that are no JSON, too large, or poisoned', async () => {
    const ask = async (body: string) => (await stage.ask('POST', '/v2.1/servers', { body })).status;
    const order = (more: string) => `{"server":{${more},"name":"x","imageRef":"${IMAGE}","flavorRef":"1"}}`;
    expect(await ask('{"server":')).toBe(400);
    expect(await ask('')).toBe(400);
    expect(await ask(`{"server":{"name":"${'x'.repeat(10_000_000)}"}}`)).toBe(413);
    expect(await ask(order('"__proto__":{"admin":true}'))).toBe(400);
    expect(await ask(order('"constructor":{"prototype":{"x":1}}'))).toBe(400);
    expect(await ask(order('"metadata":{"a":"\\ud800"}'))).toBe(400);
    expect(await ask(order('"metadata":{"a":"\\u0000"}'))).toBe(400);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});
