/** Advisory classes that show at the public edge: forged identity, revoked tokens, foreign ids, oracles, floods. */
import { beforeAll, describe, expect, it } from 'vitest';
import { delay } from '#libs/kernel';
import { STATE } from '../e2e/client.js';
import { cloudEntry, login, loginTo, type Session } from '../runner/cloud-client.js';

let demo: Session;
let admin: Session;

beforeAll(async () => {
  demo = await loginTo(STATE, 'yagura-demo');
  admin = await loginTo(STATE, 'yagura-admin');
});

const everywhere = (): string[] => [
  `${demo.authUrl}/auth/projects`,
  `${demo.endpoint('image')}/v2/images`,
  `${demo.endpoint('network')}/v2.0/networks`,
  `${demo.endpoint('compute')}/servers`,
  `${demo.endpoint('placement')}/resource_providers`,
];

describe('class 14: a revoked token', () => {
  it('is refused by every service within a second', async () => {
    const victim = await loginTo(STATE, 'yagura-admin');
    for (const url of everywhere()) expect((await victim.call('GET', url)).status).toBe(200);
    const revoked = await victim.call('DELETE', `${victim.authUrl}/auth/tokens`, undefined, {
      'X-Subject-Token': victim.token,
    });
    expect(revoked.status).toBe(204);
    await delay(1_000);
    for (const url of everywhere()) expect([url, (await victim.call('GET', url)).status]).toEqual([url, 401]);
  });
});

describe('class 15: forged identity headers', () => {
  const forged: Record<string, string>[] = [
    { 'X-User-Id': 'admin', 'X-Roles': 'admin', 'X-Project-Id': 'x' },
    { X_ROLES: 'admin', X_PROJECT_ID: 'x' },
    { 'x-is-admin-project': 'True', 'X-Service-Roles': 'service,admin', 'X-Identity-Status': 'Confirmed' },
  ];

  it.each(forged)('change nothing without a token: %o', async (headers) => {
    for (const url of everywhere()) {
      const { status } = await demo.call('GET', url, undefined, { 'X-Auth-Token': '', ...headers } as Record<
        string,
        string
      >);
      expect([url, status]).toEqual([url, 401]);
    }
  });

  it.each(forged)('raise nobody: %o', async (headers) => {
    const { status } = await demo.call('GET', `${demo.authUrl}/users`, undefined, headers);
    expect(status).toBe(403);
  });
});

describe('class 17: what belongs to another project', () => {
  it('looks exactly like what does not exist', async () => {
    const made = await admin.call<{ network: { id: string } }>('POST', `${admin.endpoint('network')}/v2.0/networks`, {
      network: { name: 'hidden' },
    });
    const { id } = made.body.network;
    const missing = '00000000-0000-4000-8000-000000000000';
    const url = (which: string) => `${demo.endpoint('network')}/v2.0/networks/${which}`;
    const [hidden, nothing] = [await demo.call('GET', url(id)), await demo.call('GET', url(missing))];
    expect(hidden.status).toBe(404);
    expect(JSON.stringify(hidden.body).replaceAll(id, '')).toBe(JSON.stringify(nothing.body).replaceAll(missing, ''));
    await admin.call('DELETE', url(id));
  });
});

describe('class 18: accounts', () => {
  const attempt = async (username: string): Promise<{ words: string; ms: number }> => {
    const { auth, region_name } = cloudEntry(STATE, 'yagura-demo');
    const begun = performance.now();
    const words = await login({
      authUrl: auth.auth_url,
      username,
      password: 'wrong',
      project: auth.project_name,
      region: region_name,
    }).then(
      () => 'let in',
      (error: Error) => error.message.replaceAll(username, 'USER'),
    );
    return { words, ms: performance.now() - begun };
  };

  it('cannot be guessed from the answer, nor from the time it takes', async () => {
    const known = [];
    const unknown = [];
    // In turn, and the fastest of each: what else the machine does then touches both alike.
    for (let i = 0; i < 12; i++) {
      known.push(await attempt('demo'));
      unknown.push(await attempt('nobody-of-that-name'));
    }
    const fastest = (samples: readonly { ms: number }[]): number => Math.min(...samples.map((sample) => sample.ms));
    expect(known[0]?.words).toBe(unknown[0]?.words);
    expect(known[0]?.words).toContain('401');
    expect(fastest(unknown)).toBeGreaterThan(fastest(known) * 0.5);
    expect(fastest(unknown)).toBeLessThan(fastest(known) * 2);
  });
});

describe('class 20: cheap requests', () => {
  it('to unknown routes are answered and forgotten', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => demo.call('GET', `${demo.endpoint('compute')}/none-${i}/x`)),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([404]));
  });

  it('of deep nesting are refused', async () => {
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    const { status } = await demo.call('POST', `${demo.endpoint('compute')}/servers`, deep);
    expect(status).toBe(400);
  });
});
