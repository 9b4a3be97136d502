import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followTokenFeed, identityV1, operatorV1 } from '#libs/contract';
import { delay, isFailure, systemClock } from '#libs/kernel';
import { connectGrpc } from '#libs/platform/grpc';
import { openLog } from '#libs/platform/log';
import { TokenVerifier } from '#libs/platform/policy';
import { inDefault, passwordBody, startTestbed, type Testbed } from './testbed.fixture.js';

const PASSWORD = 'first-password';
const silent = openLog('test', 'silent');

let bed: Testbed;
let admin: string;
let follower: TokenVerifier;
let stopFollowing: () => void;

/** A service that judges tokens, fed by both processes. */
function follow(from = new TokenVerifier(systemClock)): { verifier: TokenVerifier; stop: () => void } {
  return { verifier: from, stop: followTokenFeed(from, bed.grpc, bed.tls('compute'), silent) };
}

async function until(what: () => boolean, withinMs: number): Promise<number> {
  const start = performance.now();
  while (!what()) {
    if (performance.now() - start > withinMs) throw new Error(`not within ${withinMs} ms`);
    await delay(5);
  }
  return performance.now() - start;
}

const judged = (verifier: TokenVerifier, token: string): string => {
  try {
    verifier.verify(token);
    return 'good';
  } catch (error) {
    return isFailure(error) ? error.kind : String(error);
  }
};

beforeAll(async () => {
  bed = await startTestbed();
  admin = await bed.admin();
  ({ verifier: follower, stop: stopFollowing } = follow());
  await until(() => follower.fresh, 5_000);
});
afterAll(async () => {
  stopFollowing();
  await bed.close();
});

const call = async (method: string, path: string, body?: unknown, token = admin, at = 0) => {
  const answer = await bed.ask(method, `/v3${path}`, { token, body, at });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
};
let made = 0;
const create = async (kind: string, fields: object = {}, plural = `${kind}s`): Promise<string> => {
  made += 1;
  const answer = await call('POST', `/${plural}`, { [kind]: { name: `${kind}-${made}`, ...fields } });
  return String(answer.body[kind]!['id']);
};
const tokenOf = async (userId: string, scope: unknown, at = 0, password = PASSWORD): Promise<string> => {
  const answer = await bed.ask('POST', '/v3/auth/tokens', { body: passwordBody({ id: userId }, password, scope), at });
  if (answer.status !== 201) throw new Error(`log-in: ${answer.status}`);
  return answer.headers.get('x-subject-token')!;
};

/** A user with the role in a project of a domain of its own. */
async function tenant() {
  const domain = await create('domain');
  const project = await create('project', { domain_id: domain });
  const user = await create('user', { domain_id: domain, password: PASSWORD });
  const role = await create('role');
  await call('PUT', `/projects/${project}/users/${user}/roles/${role}`);
  const scope = { project: { id: project } };
  return { domain, project, user, role, scope };
}
type Tenant = Awaited<ReturnType<typeof tenant>>;

/** Gives the role by way of a group instead. */
async function byGroup({ project, user, role, domain }: Tenant): Promise<string> {
  const group = await create('group', { domain_id: domain });
  await call('DELETE', `/projects/${project}/users/${user}/roles/${role}`);
  await call('PUT', `/projects/${project}/groups/${group}/roles/${role}`);
  await call('PUT', `/groups/${group}/users/${user}`);
  return group;
}

const ways: [string, (tenant: Tenant, token: () => Promise<string>) => Promise<() => Promise<unknown>>][] = [
  ['the token is deleted', async () => async () => undefined],
  [
    'the user changes the password',
    async ({ user }) =>
      () =>
        call('POST', `/users/${user}/password`, { user: { password: 'new', original_password: PASSWORD } }),
  ],
  [
    'the password is set anew',
    async ({ user }) =>
      () =>
        call('PATCH', `/users/${user}`, { user: { password: 'new' } }),
  ],
  [
    'the user is disabled',
    async ({ user }) =>
      () =>
        call('PATCH', `/users/${user}`, { user: { enabled: false } }),
  ],
  [
    'the user is deleted',
    async ({ user }) =>
      () =>
        call('DELETE', `/users/${user}`),
  ],
  [
    'the project is disabled',
    async ({ project }) =>
      () =>
        call('PATCH', `/projects/${project}`, { project: { enabled: false } }),
  ],
  [
    'the project is deleted',
    async ({ project }) =>
      () =>
        call('DELETE', `/projects/${project}`),
  ],
  [
    'the domain is disabled',
    async ({ domain }) =>
      () =>
        call('PATCH', `/domains/${domain}`, { domain: { enabled: false } }),
  ],
  [
    'the role is taken away',
    async ({ project, user, role }) =>
      () =>
        call('DELETE', `/projects/${project}/users/${user}/roles/${role}`),
  ],
  [
    'the role is deleted',
    async ({ role }) =>
      () =>
        call('DELETE', `/roles/${role}`),
  ],
  [
    'the role gets another name',
    async ({ role }) =>
      () =>
        call('PATCH', `/roles/${role}`, { role: { name: `x-${role}` } }),
  ],
  [
    'the user leaves the group',
    async (all) => {
      const group = await byGroup(all);
      return () => call('DELETE', `/groups/${group}/users/${all.user}`);
    },
  ],
  [
    'the group loses the role',
    async (all) => {
      const group = await byGroup(all);
      return () => call('DELETE', `/projects/${all.project}/groups/${group}/roles/${all.role}`);
    },
  ],
  [
    'the group is deleted',
    async (all) => {
      const group = await byGroup(all);
      return () => call('DELETE', `/groups/${group}`);
    },
  ],
];

describe('a token is refused everywhere within a second when', () => {
  it.each(ways)('%s', async (what, prepare) => {
    const all = await tenant();
    const bystander = await tenant();
    const act = await prepare(all, async () => '');
    const token = await tokenOf(all.user, all.scope);
    const other = await tokenOf(bystander.user, bystander.scope, 1);
    expect([judged(follower, token), judged(follower, other)]).toEqual(['good', 'good']);
    if (what === 'the token is deleted')
      await bed.ask('DELETE', '/v3/auth/tokens', { token: admin, headers: { 'x-subject-token': token } });
    else await act();
    const subject = { token: admin, headers: { 'x-subject-token': token } };
    expect((await bed.ask('GET', '/v3/auth/tokens', { ...subject, at: 1 })).status).toBe(404);
    expect(judged(bed.identities[0]!.verifier, token)).toBe('unauthorized');
    await until(() => judged(follower, token) === 'unauthorized', 1_000);
    expect(judged(follower, other)).toBe('good');
  });

  it('a role on the system or on a domain is taken away', async () => {
    const { domain, user, role } = await tenant();
    for (const [place, scope] of [
      ['/system', { system: { all: true } }],
      [`/domains/${domain}`, { domain: { id: domain } }],
    ] as const) {
      await call('PUT', `${place}/users/${user}/roles/${role}`);
      const token = await tokenOf(user, scope);
      expect(judged(follower, token)).toBe('good');
      await call('DELETE', `${place}/users/${user}/roles/${role}`);
      await until(() => judged(follower, token) === 'unauthorized', 1_000);
    }
  });

  it('a new token can be had at once after a password was changed', async () => {
    const { user, scope } = await tenant();
    await call('POST', `/users/${user}/password`, { user: { password: 'second', original_password: PASSWORD } });
    const token = await tokenOf(user, scope, 1, 'second');
    expect(judged(follower, token)).toBe('good');
    await delay(50);
    expect(judged(follower, token)).toBe('good');
  });
});

describe('what happens at the same time', () => {
  it('lets no token slip through that was being made while its user was disabled', async () => {
    const { user, scope } = await tenant();
    const first = await tokenOf(user, scope);
    const tokens: string[] = [];
    let disabled = false;
    const mint = async (at: number) => {
      while (!disabled) {
        const body = { auth: { identity: { methods: ['token'], token: { id: first } }, scope } };
        const answer = await bed.ask('POST', '/v3/auth/tokens', { body, at });
        if (answer.status !== 201) return;
        tokens.push(answer.headers.get('x-subject-token')!);
      }
    };
    const minting = Promise.all([mint(0), mint(1), mint(0), mint(1)]);
    await until(() => tokens.length > 3, 5_000);
    await call('PATCH', `/users/${user}`, { user: { enabled: false } });
    disabled = true;
    await minting;
    expect(tokens.length).toBeGreaterThan(3);
    await delay(1_000);
    expect(tokens.filter((token) => judged(follower, token) !== 'unauthorized')).toEqual([]);
  });

  it('loses no revocation of many that are written together', async () => {
    const { user, scope } = await tenant();
    const first = await tokenOf(user, scope);
    const body = { auth: { identity: { methods: ['token'], token: { id: first } }, scope } };
    const tokens = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const answer = await bed.ask('POST', '/v3/auth/tokens', { body, at: n % 2 });
        return answer.headers.get('x-subject-token')!;
      }),
    );
    await Promise.all(
      tokens.map((token, n) =>
        bed.ask('DELETE', '/v3/auth/tokens', { token: admin, headers: { 'x-subject-token': token }, at: n % 2 }),
      ),
    );
    await until(() => tokens.every((token) => judged(follower, token) === 'unauthorized'), 1_000);
    const seqs = await bed.database.db.query<{ seq: number }>('select seq from revocations order by seq');
    expect(seqs.map(({ seq }, n) => seq - n - 1).every((gap) => gap === 0)).toBe(true);
  });
});

describe('the feed', () => {
  it('tells a follower that starts everything before it may judge', async () => {
    const { user, scope } = await tenant();
    const token = await tokenOf(user, scope);
    await call('DELETE', `/users/${user}`);
    const late = follow();
    const seen = new Set<string>();
    await until(() => {
      seen.add(judged(late.verifier, token));
      return late.verifier.fresh;
    }, 5_000);
    late.stop();
    expect([...seen].filter((kind) => kind === 'good')).toEqual([]);
    expect(judged(late.verifier, token)).toBe('unauthorized');
  });

  it('serves services alone', async () => {
    const node = connectGrpc(identityV1.FeedService, bed.grpc, 'identity', bed.tls('node-1'));
    const asked = node.follow({ afterSeq: 0 }, () => undefined, AbortSignal.timeout(3_000));
    await expect(asked).rejects.toThrow();
    node.close();
  });

  it('is heard by who has seen more than a restored database knows', async () => {
    const ahead = new TokenVerifier(systemClock);
    const untilMs = Date.now() + 60_000;
    ahead.revoke({ seq: 1_000_000, issuedBeforeMs: 0, untilMs, auditId: 'none' });
    const { user, scope } = await tenant();
    const early = await tokenOf(user, scope);
    await bed.ask('DELETE', '/v3/auth/tokens', { token: admin, headers: { 'x-subject-token': early } });
    const { stop } = follow(ahead);
    await until(() => ahead.fresh && judged(ahead, early) === 'unauthorized', 3_000);
    const late = await tokenOf(user, scope);
    expect(judged(ahead, late)).toBe('good');
    await call('DELETE', `/users/${user}`);
    await until(() => judged(ahead, late) === 'unauthorized', 1_000);
    await until(() => judged(follower, late) === 'unauthorized', 1_000);
    stop();
  });

  it('explains itself to the operator', async () => {
    const cli = connectGrpc(operatorV1.OperatorService, [bed.grpc[0]!], 'identity', bed.tls('cli'));
    const { user } = await tenant();
    await call('PATCH', `/users/${user}`, { user: { enabled: false } });
    const { events } = await cli.trace({ id: user });
    expect(events.map(({ what }) => what)).toEqual(['tokens revoked: update_user']);
    const { lines } = await cli.status({});
    expect(lines.map(({ name, state }) => `${name} ${state}`)).toEqual(['database ok', 'token feed ok']);
    const { rows } = await cli.books({});
    expect(rows.find(({ id }) => id === user)).toMatchObject({ kind: 'user', state: 'disabled' });
    cli.close();
  });
});

describe('with one process dead', () => {
  it('tokens are still given, judged and revoked in time; with none, nobody guesses', async () => {
    const { user, scope } = await tenant();
    await bed.stop(0);
    const token = await tokenOf(user, scope, 1);
    expect(judged(follower, token)).toBe('good');
    await call('PATCH', `/users/${user}`, { user: { enabled: false } }, await alone(), 1);
    await until(() => judged(follower, token) === 'unauthorized', 1_000);
    const other = await tokenOf((await tenant1()).user, undefined, 1);
    await bed.stop(1);
    expect(judged(follower, other)).toBe('good');
    const after = await until(() => judged(follower, other) === 'unavailable', 6_000);
    expect(after).toBeGreaterThan(2_000);
  });

  const alone = async (): Promise<string> => {
    const body = passwordBody(inDefault('admin'), 'the-admin-s-own', { project: inDefault('admin') });
    const answer = await bed.ask('POST', '/v3/auth/tokens', { body, at: 1 });
    return answer.headers.get('x-subject-token')!;
  };
  const tenant1 = async () => {
    const answer = await call('POST', '/users', { user: { name: 'last', password: PASSWORD } }, await alone(), 1);
    return { user: String(answer.body['user']!['id']) };
  };
});
