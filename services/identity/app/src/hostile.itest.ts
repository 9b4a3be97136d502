import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFailure } from '#libs/kernel';
import {
  ADMIN_PASSWORD,
  DEMO_PASSWORD,
  inDefault,
  passwordBody,
  startTestbed,
  type Testbed,
} from './testbed.fixture.js';

let bed: Testbed;
let admin: string;
beforeAll(async () => {
  bed = await startTestbed(1);
  admin = await bed.admin();
});
afterAll(() => bed.close());

describe('bad input gets a fault of its own', () => {
  it.each([
    ['malformed JSON', '{"auth":', 400],
    ['no body', '', 400],
    ['a list', '[]', 400],
    ['a null', 'null', 400],
    ['__proto__', '{"auth":{"identity":{"methods":["token"],"__proto__":{"x":1}}}}', 400],
    ['constructor', '{"constructor":{"prototype":{"x":1}}}', 400],
    ['a zero byte in a name', JSON.stringify(passwordBody(inDefault('a\u0000'), 'x')), 400],
    [
      'an operator for a name',
      JSON.stringify(passwordBody({ name: { $ne: '' }, domain: { id: 'default' } }, 'x')),
      400,
    ],
    ['a megabyte and more', JSON.stringify({ auth: 'x'.repeat(1 << 21) }), 413],
    ['deep nesting', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, 400],
    [
      'a lone surrogate',
      '{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"\\ud800","domain":{"id":"default"},"password":"x"}}}}}',
      400,
    ],
  ])('%s', async (_what, raw, status) => {
    const answer = await bed.ask('POST', '/v3/auth/tokens', { raw });
    expect(answer.status).toBe(status);
    expect(answer.body['error']).toMatchObject({
      code: status,
      title: expect.any(String),
      message: expect.any(String),
    });
    expect(answer.headers.get('x-openstack-request-id')).toMatch(/^req-/);
  });

  it.each([
    ['GET', '/v3/users/%00', 400],
    ['GET', '/v3/users?name=%00', 400],
    ['GET', `/v3/users/${'x'.repeat(400)}`, 404],
    ['GET', "/v3/users?name=' or 1=1 --", 200],
    ['GET', '/v3/users/..%2f..%2fetc', 404],
    ['GET', '/v3/nothing', 404],
    ['PUT', '/v3/users', 405],
    ['DELETE', '/v3/auth/projects', 405],
    ['POST', '/v3/users', 400],
  ])('%s %s', async (method, path, status) => {
    const answer = await bed.ask(method, path, { token: admin });
    expect(answer.status).toBe(status);
    if (status >= 400) expect(answer.body['error']).toMatchObject({ code: status });
  });

  it('a token that is none', async () => {
    for (const token of ['', 'x', 'y1.k1.e30.AAAA', `${admin}x`, admin.replace('y1.k1', 'y1.k2'), 'é'.repeat(20)]) {
      const headers = { 'x-auth-token': encodeURI(token) };
      expect((await bed.ask('GET', '/v3/users', { headers })).status).toBe(401);
    }
    expect((await bed.ask('GET', '/v3/users')).status).toBe(401);
  });

  it('headers that claim an identity change nothing', async () => {
    const headers = {
      'x-user-id': 'admin',
      'x-roles': 'admin',
      'x-identity-status': 'Confirmed',
      'x-is-admin-project': 'True',
      'openstack-system-scope': 'all',
      'x-service-roles': 'admin',
    };
    expect((await bed.ask('GET', '/v3/users', { headers })).status).toBe(401);
    const demo = await bed.logIn('demo', DEMO_PASSWORD, 'demo');
    expect((await bed.ask('GET', '/v3/users', { token: demo, headers })).status).toBe(403);
  });
});

describe('secrets', () => {
  it('are in no log, no fault and no table', async () => {
    const canary = 'canary-7f3a';
    const user = await bed.ask('POST', '/v3/users', {
      token: admin,
      body: { user: { name: 'canary', password: `${canary}-1`, original_password: `${canary}-2` } },
    });
    expect(user.status).toBe(201);
    const id = String(user.body['user']!['id']);
    const answers = [
      user,
      await bed.ask('POST', '/v3/auth/tokens', { body: passwordBody({ id }, `${canary}-wrong`) }),
      await bed.ask('POST', '/v3/auth/tokens', { raw: `{"auth": {"password": "${canary}-3"` }),
      await bed.ask('POST', `/v3/users/${id}/password`, {
        body: { user: { original_password: `${canary}-4`, password: `${canary}-5` } },
      }),
      await bed.ask('GET', '/v3/users', { headers: { 'x-auth-token': `${canary}-6` } }),
      await bed.ask('GET', '/v3/auth/tokens', { token: admin, headers: { 'x-subject-token': `${canary}-7` } }),
      await bed.ask('POST', '/v3/users', {
        token: admin,
        body: { user: { name: 'canary\u0000', password: `${canary}-8` } },
      }),
    ];
    const token = await bed.logIn('admin', ADMIN_PASSWORD, 'admin');
    for (const answer of answers) expect(JSON.stringify(answer.body)).not.toContain(canary);
    const tables = await bed.database.db.query('select * from users');
    expect(JSON.stringify(tables)).not.toContain(canary);
    const log = bed.logged.join('');
    for (const secret of [canary, ADMIN_PASSWORD, DEMO_PASSWORD, token, 'PRIVATE KEY', '$argon2'])
      expect(log).not.toContain(secret);
  });
});

describe('a database that goes away', () => {
  it('fails requests as unavailable, and they work again by themselves', async () => {
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    const before = await bed.logIn('demo', DEMO_PASSWORD, 'demo');
    await bed.database.db.query(kill).catch((error: unknown) => expect(isFailure(error)).toBe(true));
    const statuses: number[] = [];
    for (let n = 0; n < 20; n += 1) statuses.push((await bed.ask('GET', '/v3/users', { token: admin })).status);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    expect(statuses.at(-1)).toBe(200);
    await bed.ask('DELETE', '/v3/auth/tokens', { token: admin, headers: { 'x-subject-token': before } });
    expect((await bed.ask('GET', '/v3/auth/projects', { token: before })).status).toBe(401);
    const health = await bed.ask('GET', '/healthz');
    expect(health.body).toMatchObject({ status: 'ok', parts: { database: true, feed: true } });
  });
});
