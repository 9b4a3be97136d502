import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secrets } from '#services/identity/data';
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
  bed = await startTestbed();
  admin = await bed.admin();
});
afterAll(() => bed.close());

const tokens = '/v3/auth/tokens';
const authenticate = (body: unknown, at = 0) => bed.ask('POST', tokens, { body, at });
const by = (token: string, scope?: unknown) => ({
  auth: { identity: { methods: ['token'], token: { id: token } }, ...(scope === undefined ? {} : { scope }) },
});
const create = async (kind: string, fields: object): Promise<string> => {
  const answer = await bed.ask('POST', `/v3/${kind}s`, { token: admin, body: { [kind]: fields } });
  expect(answer.status).toBe(201);
  return String(answer.body[kind]?.['id']);
};

describe('discovery', () => {
  it.each(['/', '/v3', '/v3/'])('answers %s without a token', async (path) => {
    const answer = await bed.ask('GET', path);
    expect(answer.status).toBe(path === '/' ? 300 : 200);
    const version = path === '/' ? answer.body['versions']?.['values']?.['0'] : answer.body['version'];
    expect(version).toMatchObject({
      id: 'v3.14',
      status: 'stable',
      links: [{ rel: 'self', href: 'http://cloud.test/identity/v3/' }],
    });
  });
});

describe('a token by password', () => {
  it('carries scope, roles, catalog, and is known to the other process', async () => {
    const answer = await authenticate(
      passwordBody(inDefault('demo'), DEMO_PASSWORD, { project: { name: 'demo', domain: { name: 'Default' } } }),
    );
    expect(answer.status).toBe(201);
    const token = answer.headers.get('x-subject-token')!;
    expect(answer.body['token']).toMatchObject({
      methods: ['password'],
      user: { name: 'demo', domain: { id: 'default', name: 'Default' }, password_expires_at: null },
      project: { name: 'demo', domain: { id: 'default' } },
      roles: [{ name: 'member' }, { name: 'reader' }],
      catalog: [
        { type: 'compute', name: 'nova' },
        { type: 'identity', name: 'keystone' },
      ],
    });
    const endpoints = answer.body['token']!['catalog']!['0']!['endpoints'] as unknown as Record<string, string>[];
    expect(endpoints.map((endpoint) => endpoint['interface'])).toEqual(['public', 'internal', 'admin']);
    expect(endpoints[0]).toMatchObject({
      region: 'RegionOne',
      region_id: 'RegionOne',
      url: 'http://cloud.test/compute/v2.1',
    });
    const shown = await bed.ask('GET', tokens, { token, headers: { 'x-subject-token': token }, at: 1 });
    expect(shown.status).toBe(200);
    expect(shown.body).toEqual(answer.body);
    const bare = await bed.ask('GET', `${tokens}?nocatalog`, { token: admin, headers: { 'x-subject-token': token } });
    expect(bare.body['token']).not.toHaveProperty('catalog');
    const head = await bed.ask('HEAD', tokens, { token: admin, headers: { 'x-subject-token': token } });
    expect(head.status).toBe(200);
  });

  it('is for the default project, the system, a domain or nothing', async () => {
    const as = (scope?: unknown) => authenticate(passwordBody(inDefault('admin'), ADMIN_PASSWORD, scope));
    expect((await as()).body['token']).toMatchObject({ project: { name: 'admin' } });
    expect((await as({ system: { all: true } })).body['token']).toMatchObject({ system: { all: true } });
    const unscoped = await as('unscoped');
    expect(Object.keys(unscoped.body['token']!)).toEqual(['methods', 'user', 'audit_ids', 'expires_at', 'issued_at']);
    expect((await as({ domain: { id: 'default' } })).status).toBe(401);
    expect((await as({ project: inDefault('demo') })).status).toBe(401);
    expect((await as({ project: { id: 'a' }, system: { all: true } })).status).toBe(400);
  });

  it('is refused in one voice and in one time, whatever was wrong', async () => {
    await create('user', { name: 'off', password: 'right', enabled: false });
    await create('user', { name: 'mute' });
    const wrongs = {
      unknownUser: passwordBody(inDefault('nobody'), 'x'),
      unknownDomain: passwordBody({ name: 'demo', domain: { name: 'none' } }, 'x'),
      wrong: passwordBody(inDefault('demo'), 'x'),
      disabled: passwordBody(inDefault('off'), 'right'),
      passwordless: passwordBody(inDefault('mute'), ''),
      unknownProject: passwordBody(inDefault('demo'), DEMO_PASSWORD, { project: inDefault('none') }),
    };
    const verify = vi.spyOn(Secrets.prototype, 'verify');
    const fastest: Record<string, number> = {};
    for (let n = 0; n < 15; n += 1)
      for (const [name, body] of Object.entries(wrongs)) {
        const start = performance.now();
        const answer = await authenticate(body);
        fastest[name] = Math.min(fastest[name] ?? Number.POSITIVE_INFINITY, performance.now() - start);
        expect(answer.status).toBe(401);
        expect(answer.body).toEqual({
          error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
        });
      }
    expect(verify).toHaveBeenCalledTimes(15 * Object.keys(wrongs).length);
    // Without a dummy verification an unknown user would be answered in a fiftieth of the work. The bounds are wide,
    // because the machine may be busy; that each attempt costs exactly one argon2 is what counts.
    const { wrong = 0, unknownUser = 0, unknownDomain = 0, disabled = 0, passwordless = 0 } = fastest;
    for (const other of [unknownUser, unknownDomain, disabled, passwordless]) {
      expect(other / wrong).toBeGreaterThan(0.2);
      expect(other / wrong).toBeLessThan(5);
    }
  });
});

describe('a token by token', () => {
  it('keeps expiry and audit chain, and does not outlive its parent', async () => {
    const first = await authenticate(passwordBody(inDefault('demo'), DEMO_PASSWORD, 'unscoped'));
    const parent = first.headers.get('x-subject-token')!;
    const second = await authenticate(by(parent, { project: inDefault('demo') }), 1);
    expect(second.status).toBe(201);
    const [before, after] = [first.body['token']!, second.body['token']!];
    expect(after['expires_at']).toBe(before['expires_at']);
    expect(after['methods']).toEqual(['password', 'token']);
    expect(after['audit_ids']).toEqual([expect.any(String), before['audit_ids']!['0']]);
    const child = second.headers.get('x-subject-token')!;
    await bed.ask('DELETE', tokens, { token: child, headers: { 'x-subject-token': child } });
    expect((await authenticate(by(child))).status).toBe(401);
    expect((await authenticate(by(parent, { project: inDefault('demo') }))).status).toBe(201);
  });

  it('is refused for a token that is none', async () => {
    for (const text of ['', 'x', `${admin.slice(0, -3)}AAA`, 'y1.k1..'])
      expect((await authenticate(by(text))).status).toBe(401);
  });
});

describe('validation', () => {
  it('is for administrators and for the user himself', async () => {
    const demo = await bed.logIn('demo', DEMO_PASSWORD, 'demo');
    const other = await create('user', { name: 'other', password: 'right' });
    const stranger = await bed.logIn('other', 'right');
    const show = (token: string | undefined, subject: string) =>
      bed.ask('GET', tokens, { token, headers: { 'x-subject-token': subject } });
    expect((await show(undefined, demo)).status).toBe(401);
    expect((await show(demo, demo)).status).toBe(200);
    expect((await show(admin, demo)).status).toBe(200);
    expect((await show(stranger, demo)).status).toBe(403);
    expect((await show(admin, 'nonsense')).status).toBe(404);
    expect((await bed.ask('GET', tokens, { token: admin })).status).toBe(404);
    expect(other).toMatch(/^[0-9a-f]{32}$/);
  });

  it('finds an expired token only where it is asked to', async () => {
    const demo = await bed.logIn('demo', DEMO_PASSWORD, 'demo');
    const { verifier } = bed.identities[0]!;
    const { expiresAt } = verifier.verify(demo).claims;
    expect(expiresAt - Date.now()).toBeGreaterThan(3_500_000);
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(3_600_000);
    const expired = await bed.ask('GET', `${tokens}?allow_expired=1`, {
      token: admin,
      headers: { 'x-subject-token': demo },
    });
    expect(expired.status).toBe(200);
  });
});

describe('what a token may reach', () => {
  it('is listed by scope', async () => {
    const names = async (path: string, kind: string, token: string) => {
      const answer = await bed.ask('GET', path, { token });
      expect(answer.status).toBe(200);
      return (answer.body[kind] as unknown as { name: string }[]).map(({ name }) => name);
    };
    const demo = await bed.logIn('demo', DEMO_PASSWORD, 'demo');
    expect(await names('/v3/auth/projects', 'projects', demo)).toEqual(['demo']);
    expect(await names('/v3/auth/domains', 'domains', demo)).toEqual([]);
    expect((await bed.ask('GET', '/v3/auth/system', { token: admin })).body['system']).toEqual([{ all: true }]);
    expect((await bed.ask('GET', '/v3/auth/system', { token: demo })).body['system']).toEqual([]);
    expect((await bed.ask('GET', '/v3/auth/catalog', { token: demo })).body['catalog']).toHaveLength(2);
  });
});
