import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, DEMO_PASSWORD, passwordBody, startTestbed, type Testbed } from './testbed.fixture.js';

const PASSWORD = 'a-user-s-own';
let bed: Testbed;
let admin: string;
let roles: Record<string, string>;
beforeAll(async () => {
  bed = await startTestbed(1);
  admin = await bed.admin();
  const listed = (await bed.ask('GET', '/v3/roles', { token: admin })).body['roles'];
  roles = Object.fromEntries((listed as unknown as { name: string; id: string }[]).map(({ name, id }) => [name, id]));
});
afterAll(() => bed.close());

const ask = (method: string, path: string, token: string, body?: unknown) =>
  bed.ask(method, `/v3${path}`, { token, body });
const authenticate = (body: unknown) => bed.ask('POST', '/v3/auth/tokens', { body });
const tokenOf = (answer: Answer): string => {
  expect(answer.status).toBe(201);
  return answer.headers.get('x-subject-token')!;
};
const namesOf = (answer: Answer) =>
  (answer.body['token']!['roles'] as unknown as { name: string }[]).map(({ name }) => name);

let made = 0;
/** A manager of a project, with a token of it. */
async function person() {
  made += 1;
  const project = await ask('POST', '/projects', admin, { project: { name: `p${made}` } });
  const projectId = String(project.body['project']!['id']);
  const user = await ask('POST', '/users', admin, { user: { name: `u${made}`, password: PASSWORD } });
  const userId = String(user.body['user']!['id']);
  await ask('PUT', `/projects/${projectId}/users/${userId}/roles/${roles['manager']}`, admin);
  const scope = { project: { id: projectId } };
  const token = tokenOf(await authenticate(passwordBody({ id: userId }, PASSWORD, scope)));
  return { projectId, userId, scope, token, list: `/users/${userId}/application_credentials` };
}
const credential = (fields: object = {}) => ({ application_credential: { name: `c${made++}`, ...fields } });
const byCredential = (answer: Answer, scope?: unknown) => {
  const { id, secret } = answer.body['application_credential']!;
  return authenticate({
    auth: {
      identity: { methods: ['application_credential'], application_credential: { id, secret } },
      ...(scope === undefined ? {} : { scope }),
    },
  });
};
const byToken = (token: string, scope?: unknown) =>
  authenticate({
    auth: { identity: { methods: ['token'], token: { id: token } }, ...(scope === undefined ? {} : { scope }) },
  });

describe('an application credential', () => {
  it('carries the roles that were named, in its project, and no other scope', async () => {
    const me = await person();
    const given = await ask('POST', me.list, me.token, credential({ roles: [{ name: 'reader' }] }));
    expect(given.status).toBe(201);
    expect(given.body['application_credential']).toMatchObject({ unrestricted: false, project_id: me.projectId });
    const answer = await byCredential(given);
    expect(namesOf(answer)).toEqual(['reader']);
    expect(answer.body['token']!['application_credential']).toMatchObject({ restricted: true });
    const elsewhere = await ask('POST', '/projects', admin, { project: { name: `e${made}` } });
    const other = String(elsewhere.body['project']!['id']);
    await ask('PUT', `/projects/${other}/users/${me.userId}/roles/${roles['admin']}`, admin);
    const token = tokenOf(answer);
    for (const scope of [{ project: { id: other } }, 'unscoped', { system: { all: true } }]) {
      expect((await byCredential(given, scope)).status).toBe(403);
      expect((await byToken(token, scope)).status).toBe(403);
    }
    for (const again of [undefined, me.scope]) {
      const renewed = await byToken(token, again);
      expect(namesOf(renewed)).toEqual(['reader']);
      expect(renewed.body['token']!['application_credential']).toMatchObject({ restricted: true });
      expect(renewed.body['token']!['expires_at']).toBe(answer.body['token']!['expires_at']);
    }
    const shown = await ask('GET', me.list, me.token);
    expect(JSON.stringify(shown.body)).not.toContain('secret');
    const projects = await bed.ask('GET', '/v3/auth/projects', { token });
    expect(projects.body['projects']).toHaveLength(1);
  });

  it('is never more than its user: not when made, not when the user has lost a part since', async () => {
    const me = await person();
    expect((await ask('POST', me.list, me.token, credential({ roles: [{ name: 'admin' }] }))).status).toBe(400);
    expect((await ask('POST', me.list, me.token, credential({ roles: [] }))).status).toBe(400);
    const given = await ask('POST', me.list, me.token, credential());
    expect(namesOf(await byCredential(given))).toEqual(['manager', 'member', 'reader']);
    await ask('DELETE', `/projects/${me.projectId}/users/${me.userId}/roles/${roles['manager']}`, admin);
    expect((await byCredential(given)).status).toBe(401);
    await ask('PUT', `/projects/${me.projectId}/users/${me.userId}/roles/${roles['reader']}`, admin);
    expect((await byCredential(given)).status).toBe(401);
  });

  it('makes nothing further while it is restricted', async () => {
    const me = await person();
    const restricted = tokenOf(await byCredential(await ask('POST', me.list, me.token, credential())));
    const free = await ask('POST', me.list, me.token, credential({ unrestricted: true, roles: [{ name: 'member' }] }));
    const unrestricted = tokenOf(await byCredential(free));
    const blob = '{"access":"a","secret":"s"}';
    const ec2 = { credential: { type: 'cert', blob, user_id: me.userId } };
    const trust = {
      trust: {
        trustor_user_id: me.userId,
        trustee_user_id: me.userId,
        impersonation: true,
        project_id: me.projectId,
        roles: [{ name: 'member' }],
      },
    };
    expect((await ask('POST', me.list, restricted, credential())).status).toBe(403);
    expect((await ask('POST', '/credentials', restricted, ec2)).status).toBe(403);
    expect((await ask('GET', '/credentials', restricted)).status).toBe(403);
    expect((await ask('POST', '/OS-TRUST/trusts', restricted, trust)).status).toBe(403);
    const id = free.body['application_credential']!['id'];
    expect((await ask('DELETE', `${me.list}/${id}`, restricted)).status).toBe(403);
    // The unrestricted one may, but not beyond its own roles.
    expect((await ask('POST', me.list, unrestricted, credential({ roles: [{ name: 'manager' }] }))).status).toBe(400);
    const child = await ask('POST', me.list, unrestricted, credential());
    expect(namesOf(await byCredential(child))).toEqual(['member', 'reader']);
  });

  it('ends with its deletion, its time, its secret and its user', async () => {
    const me = await person();
    const given = await ask('POST', me.list, me.token, credential());
    const token = tokenOf(await byCredential(given));
    const id = String(given.body['application_credential']!['id']);
    expect((await ask('DELETE', `${me.list}/${id}`, me.token)).status).toBe(204);
    expect((await bed.ask('GET', '/v3/regions', { token })).status).toBe(401);
    expect((await bed.ask('GET', '/v3/regions', { token: me.token })).status).toBe(200);
    expect((await byCredential(given)).status).toBe(401);
    expect((await ask('POST', me.list, me.token, credential({ expires_at: '2020-01-01T00:00:00' }))).status).toBe(400);
    const soon = new Date(Date.now() + 90_000).toISOString().replace('Z', '000');
    const brief = await ask('POST', me.list, me.token, credential({ expires_at: soon, secret: 'my-own' }));
    expect(brief.body['application_credential']).toMatchObject({ expires_at: soon, secret: 'my-own' });
    expect((await byCredential(brief)).body['token']!['expires_at']).toBe(`${soon.slice(0, 23)}000Z`);
    const named = (secret: string, name: unknown) =>
      authenticate({
        auth: {
          identity: {
            methods: ['application_credential'],
            application_credential: { name, secret, user: { id: me.userId } },
          },
        },
      });
    const name = brief.body['application_credential']!['name'];
    expect((await named('my-own', name)).status).toBe(201);
    expect((await named('wrong', name)).status).toBe(401);
    expect((await named('my-own', 'none')).status).toBe(401);
    await ask('PATCH', `/users/${me.userId}`, admin, { user: { enabled: false } });
    expect((await byCredential(brief)).status).toBe(401);
  });

  it('belongs to its user alone', async () => {
    const me = await person();
    const you = await person();
    const given = await ask('POST', me.list, me.token, credential());
    const path = `${me.list}/${given.body['application_credential']!['id']}`;
    expect((await ask('POST', me.list, you.token, credential())).status).toBe(403);
    expect((await ask('POST', me.list, admin, credential())).status).toBe(403);
    expect((await ask('GET', path, you.token)).status).toBe(403);
    expect((await ask('DELETE', path, you.token)).status).toBe(403);
    expect((await ask('GET', path.replace(me.userId, you.userId), you.token)).status).toBe(404);
    const rules = credential({ access_rules: [{ method: 'GET', path: '/', service: 'compute' }] });
    expect((await ask('POST', me.list, me.token, rules)).status).toBe(400);
  });
});

describe('a trust', () => {
  const trustOf = (from: { userId: string; projectId: string }, to: { userId: string }, fields: object = {}) => ({
    trust: {
      trustor_user_id: from.userId,
      trustee_user_id: to.userId,
      impersonation: false,
      project_id: from.projectId,
      roles: [{ name: 'reader' }],
      ...fields,
    },
  });
  const byTrust = (you: { userId: string }, id: unknown) =>
    authenticate(passwordBody({ id: you.userId }, PASSWORD, { 'OS-TRUST:trust': { id } }));

  it('lets the trustee act for the trustor within its roles, and no further', async () => {
    const [me, you, third] = [await person(), await person(), await person()];
    const given = await ask('POST', '/OS-TRUST/trusts', me.token, trustOf(me, you, { impersonation: true }));
    expect(given.status).toBe(201);
    const id = given.body['trust']!['id'];
    const answer = await byTrust(you, id);
    expect(namesOf(answer)).toEqual(['reader']);
    expect(answer.body['token']).toMatchObject({ user: { id: me.userId }, project: { id: me.projectId } });
    const token = tokenOf(answer);
    expect((await byTrust(third, id)).status).toBe(401);
    expect((await byToken(token)).status).toBe(403);
    expect((await ask('POST', me.list, token, credential())).status).toBe(403);
    expect((await ask('DELETE', `/OS-TRUST/trusts/${id}`, you.token)).status).toBe(403);
    expect((await ask('GET', `/OS-TRUST/trusts/${id}`, third.token)).status).toBe(404);
    expect((await ask('GET', '/OS-TRUST/trusts', you.token)).status).toBe(403);
    const mine = await ask('GET', `/OS-TRUST/trusts?trustee_user_id=${you.userId}`, you.token);
    expect(mine.body['trusts']).toHaveLength(1);
    // Whichever of the two loses something, the token ends.
    await ask('PATCH', `/users/${you.userId}`, admin, { user: { password: 'new' } });
    expect((await bed.ask('GET', '/v3/regions', { token })).status).toBe(401);
  });

  it('is never more than the trustor, counts its uses, and ends when it is taken back', async () => {
    const [me, you] = [await person(), await person()];
    const create = (fields: object) => ask('POST', '/OS-TRUST/trusts', me.token, trustOf(me, you, fields));
    expect((await create({ roles: [{ name: 'admin' }] })).status).toBe(400);
    expect((await create({ project_id: you.projectId })).status).toBe(403);
    expect((await create({ trustor_user_id: you.userId })).status).toBe(403);
    expect((await create({ allow_redelegation: true })).status).toBe(400);
    expect((await create({ expires_at: 'bad.123Z' })).status).toBe(400);
    const twice = (await create({ remaining_uses: 2 })).body['trust']!['id'];
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => byTrust(you, twice)));
    expect(outcomes.map(({ status }) => status).sort()).toEqual([201, 201, 401, 401]);
    const any = (await create({ roles: [{ name: 'manager' }] })).body['trust']!['id'];
    const token = tokenOf(await byTrust(you, any));
    await ask('DELETE', `/OS-TRUST/trusts/${any}`, me.token);
    expect((await bed.ask('GET', '/v3/regions', { token })).status).toBe(401);
    expect((await byTrust(you, any)).status).toBe(401);
    const lost = (await create({ roles: [{ name: 'manager' }] })).body['trust']!['id'];
    await ask('DELETE', `/projects/${me.projectId}/users/${me.userId}/roles/${roles['manager']}`, admin);
    expect((await byTrust(you, lost)).status).toBe(401);
  });
});

describe('a kept credential', () => {
  it('is sealed in the database and seen by its user alone', async () => {
    const [me, you] = [await person(), await person()];
    const blob = '{"access":"canary-access","secret":"canary-secret"}';
    const body = { credential: { type: 'ec2', blob, project_id: me.projectId } };
    const given = await ask('POST', '/credentials', me.token, body);
    expect(given.status).toBe(201);
    const path = `/credentials/${given.body['credential']!['id']}`;
    expect((await ask('GET', path, me.token)).body['credential']).toMatchObject({ blob, type: 'ec2' });
    expect((await ask('GET', path, you.token)).status).toBe(404);
    expect((await ask('GET', '/credentials', you.token)).body['credentials']).toEqual([]);
    expect(
      (await ask('POST', '/credentials', you.token, { credential: { ...body.credential, user_id: me.userId } })).status,
    ).toBe(403);
    const rows = await bed.database.db.query('select * from credentials');
    expect(JSON.stringify(rows)).not.toContain(Buffer.from('canary-secret').toString('hex'));
    expect(rows).toHaveLength(1);
    expect((await ask('DELETE', path, me.token)).status).toBe(204);
  });
});

it('keeps what demo may do to what a member may', async () => {
  const demo = await bed.logIn('demo', DEMO_PASSWORD, 'demo');
  for (const path of ['/users', '/projects', '/roles', '/domains', '/services', '/role_assignments', '/policies'])
    expect((await ask('GET', path, demo)).status).toBe(403);
});
