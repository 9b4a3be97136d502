import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, DEMO_PASSWORD, type Json, startTestbed, type Testbed } from './testbed.fixture.js';

let bed: Testbed;
let admin: string;
let demo: string;
beforeAll(async () => {
  bed = await startTestbed(1);
  admin = await bed.admin();
  demo = await bed.logIn('demo', DEMO_PASSWORD, 'demo');
});
afterAll(() => bed.close());

const ask = (method: string, path: string, body?: unknown, token = admin) =>
  bed.ask(method, `/v3${path}`, { token, body });
const create = async (kind: string, fields: object, plural = `${kind}s`): Promise<Json> => {
  const answer = await ask('POST', `/${plural}`, { [kind]: fields });
  expect(answer.status).toBe(201);
  return answer.body[kind]!;
};
const names = (answer: Answer, kind: string) =>
  (answer.body[kind] as unknown as { name: string }[]).map(({ name }) => name);
const MISSING = 'f'.repeat(32);

describe('every resource', () => {
  const KINDS: [string, string, object, object][] = [
    ['project', 'projects', { name: 'crud' }, { description: 'other' }],
    ['user', 'users', { name: 'crud', email: 'a@b' }, { email: 'c@d' }],
    ['group', 'groups', { name: 'crud' }, { description: 'other' }],
    ['role', 'roles', { name: 'crud' }, { name: 'crud2' }],
    ['domain', 'domains', { name: 'crud' }, { enabled: false }],
    ['region', 'regions', { description: 'crud' }, { description: 'other' }],
    ['service', 'services', { type: 'crud', name: 'c' }, { description: 'other' }],
    ['policy', 'policies', { type: 'crud', blob: '{}' }, { blob: '[]' }],
  ];

  it.each(KINDS)(
    '%s: is made, shown, listed, changed and deleted as in Keystone',
    async (kind, plural, fields, change) => {
      const made = await create(kind, { ...fields, colour: 'blue' }, plural);
      const path = `/${plural}/${made['id']}`;
      expect(made).toMatchObject({ ...fields, colour: 'blue' });
      expect(made['links']).toEqual({ self: `http://cloud.test/identity/v3${path}` });
      const shown = await ask('GET', path);
      expect([shown.status, shown.body[kind]]).toEqual([200, made]);
      const list = await ask('GET', `/${plural}`);
      expect(list.body[plural]).toContainEqual(made);
      expect(list.body['links']).toEqual({
        next: null,
        previous: null,
        self: `http://cloud.test/identity/v3/${plural}`,
      });
      const changed = await ask('PATCH', path, { [kind]: change });
      expect([changed.status, changed.body[kind]]).toEqual([200, { ...made, ...change }]);
      expect((await ask('HEAD', path)).status).toBe(200);
      expect((await ask('DELETE', path)).status).toBe(204);
      for (const method of ['GET', 'DELETE'])
        expect(await ask(method, path)).toMatchObject({
          status: 404,
          body: { error: { code: 404, title: 'Not Found' } },
        });
      expect((await ask('PATCH', path, { [kind]: change })).status).toBe(404);
    },
  );

  it.each(KINDS)('%s: is closed to members', async (kind, plural, fields) => {
    expect((await ask('POST', `/${plural}`, { [kind]: fields }, demo)).status).toBe(403);
    expect((await ask('PATCH', `/${plural}/${MISSING}`, { [kind]: {} }, demo)).status).toBe(403);
    expect((await ask('DELETE', `/${plural}/${MISSING}`, undefined, demo)).status).toBe(403);
  });

  it.each([
    ['project', 'projects', { name: 'x'.repeat(65) }],
    ['project', 'projects', { name: '  ' }],
    ['project', 'projects', {}],
    ['project', 'projects', { name: 'p', enabled: 'yes' }],
    ['user', 'users', { name: 'x'.repeat(256) }],
    ['user', 'users', { name: 'u', password: 7 }],
    ['user', 'users', { name: 'u', options: { lock_password: true } }],
    ['role', 'roles', { name: '' }],
    ['domain', 'domains', { name: '' }],
    ['endpoint', 'endpoints', { service_id: MISSING, interface: 'public', url: 'http://x' }],
    ['endpoint', 'endpoints', { service_id: MISSING, interface: 'secret', url: 'http://x' }],
    ['group', 'groups', { name: 'g\u0000' }],
    ['user', 'users', { name: 'u', extra: 'x'.repeat(70_000) }],
  ])('%s: refuses %#', async (kind, plural, fields) => {
    expect(await ask('POST', `/${plural}`, { [kind]: fields })).toMatchObject({
      status: 400,
      body: { error: { code: 400, title: 'Bad Request', message: expect.any(String) } },
    });
  });
});

describe('names', () => {
  it('are unique in a domain, and free again in another or after a deletion', async () => {
    const domain = await create('domain', { name: 'names' });
    for (const kind of ['project', 'user', 'group', 'role']) {
      const first = await create(kind, { name: 'same' });
      expect((await ask('POST', `/${kind}s`, { [kind]: { name: 'same' } })).status).toBe(409);
      const other = await create(kind, { name: 'same2' });
      expect((await ask('PATCH', `/${kind}s/${other['id']}`, { [kind]: { name: 'same' } })).status).toBe(409);
      await create(kind, { name: 'same', domain_id: domain['id'] });
      expect((await ask('DELETE', `/${kind}s/${first['id']}`)).status).toBe(204);
      await create(kind, { name: 'same' });
    }
    expect((await ask('POST', '/domains', { domain: { name: 'names' } })).status).toBe(409);
  });

  it('are found by filters', async () => {
    for (const name of ['find_one', 'find%two', 'FIND-three'])
      await create('user', { name, enabled: name !== 'find_one' });
    const found = async (query: string) => names(await ask('GET', `/users?${query}`), 'users').sort();
    expect(await found('name=find_one')).toEqual(['find_one']);
    expect(await found('name__startswith=find')).toEqual(['find%two', 'find_one']);
    expect(await found('name__icontains=FIND')).toEqual(['FIND-three', 'find%two', 'find_one']);
    expect(await found('name__contains=%25t')).toEqual(['find%two']);
    expect(await found('name__contains=_')).toEqual(['find_one']);
    expect(await found('enabled=False&name__startswith=find')).toEqual(['find_one']);
    expect(await found('domain_id=none')).toEqual([]);
    expect((await found('unknown=1')).length).toBeGreaterThan(3);
  });
});

describe('domains', () => {
  it('must be disabled before they go, and take everything along', async () => {
    const domain = await create('domain', { name: 'doomed' });
    const at = { domain_id: domain['id'] };
    const user = await create('user', { name: 'u', ...at });
    const group = await create('group', { name: 'g', ...at });
    const top = await create('project', { name: 'top', ...at });
    const leaf = await create('project', { name: 'leaf', ...at, parent_id: top['id'] });
    const path = `/domains/${domain['id']}`;
    expect((await ask('DELETE', path)).status).toBe(403);
    expect((await ask('PATCH', path, { domain: { enabled: false } })).status).toBe(200);
    expect((await ask('DELETE', path)).status).toBe(204);
    for (const gone of [`/users/${user['id']}`, `/groups/${group['id']}`, `/projects/${leaf['id']}`])
      expect((await ask('GET', gone)).status).toBe(404);
    expect((await ask('DELETE', '/domains/default')).status).toBe(403);
    expect((await ask('POST', '/users', { user: { name: 'u', domain_id: domain['id'] } })).status).toBe(404);
  });

  it('are shown to those who are in them', async () => {
    expect((await ask('GET', '/domains/default', undefined, demo)).status).toBe(200);
    const other = await create('domain', { name: 'foreign' });
    for (const id of [other['id'], MISSING])
      expect((await ask('GET', `/domains/${id}`, undefined, demo)).status).toBe(403);
  });
});

describe('projects', () => {
  it('form trees with rules', async () => {
    const top = await create('project', { name: 'tree' });
    const leaf = await create('project', { name: 'leaf', parent_id: top['id'] });
    expect(leaf['parent_id']).toBe(top['id']);
    expect(top['parent_id']).toBe('default');
    expect((await ask('DELETE', `/projects/${top['id']}`)).status).toBe(403);
    expect((await ask('PATCH', `/projects/${top['id']}`, { project: { enabled: false } })).status).toBe(403);
    expect((await ask('PATCH', `/projects/${leaf['id']}`, { project: { enabled: false } })).status).toBe(200);
    expect((await ask('PATCH', `/projects/${top['id']}`, { project: { enabled: false } })).status).toBe(200);
    expect((await ask('PATCH', `/projects/${leaf['id']}`, { project: { enabled: true } })).status).toBe(403);
    const below = await ask('POST', '/projects', { project: { name: 'below', parent_id: top['id'] } });
    expect(below.status).toBe(403);
    const family = await ask('GET', `/projects/${top['id']}?subtree_as_ids&parents_as_ids`);
    expect(family.body['project']).toMatchObject({
      subtree: { [String(leaf['id'])]: null },
      parents: { default: null },
    });
    const list = await ask('GET', `/projects/${leaf['id']}?parents_as_list`);
    expect(list.body['project']!['parents']).toHaveLength(1);
    let parent = leaf['parent_id'];
    await ask('PATCH', `/projects/${parent}`, { project: { enabled: true } });
    for (const depth of [3, 4, 5]) parent = (await create('project', { name: `d${depth}`, parent_id: parent }))['id']!;
    expect((await ask('POST', '/projects', { project: { name: 'd6', parent_id: parent } })).status).toBe(201);
    const deepest = (await ask('GET', '/projects?name=d6')).body['projects']!['0']!['id'];
    expect((await ask('POST', '/projects', { project: { name: 'd7', parent_id: deepest } })).status).toBe(403);
    expect((await ask('PATCH', `/projects/${leaf['id']}`, { project: { domain_id: 'x' } })).status).toBe(400);
  });

  it('carry tags', async () => {
    const { id } = await create('project', { name: 'tagged', tags: ['a', 'b'] });
    const tags = `/projects/${id}/tags`;
    expect((await ask('PUT', `${tags}/c`)).status).toBe(201);
    expect((await ask('GET', tags)).body['tags']).toEqual(['a', 'b', 'c']);
    expect((await ask('GET', `${tags}/c`)).status).toBe(204);
    expect((await ask('DELETE', `${tags}/c`)).status).toBe(204);
    expect((await ask('DELETE', `${tags}/c`)).status).toBe(404);
    expect((await ask('PUT', tags, { tags: ['x', 'y'] })).body['tags']).toEqual(['x', 'y']);
    expect((await ask('PUT', tags, { tags: ['x', 'x'] })).status).toBe(400);
    const found = async (query: string) => names(await ask('GET', `/projects?${query}`), 'projects');
    expect(await found('tags=x,y')).toEqual(['tagged']);
    expect(await found('tags-any=y,z')).toEqual(['tagged']);
    expect(await found('not-tags-any=x')).not.toContain('tagged');
    expect((await ask('DELETE', tags)).status).toBe(204);
    expect((await ask('GET', tags)).body['tags']).toEqual([]);
  });

  it('are shown to their members, and others are told nothing', async () => {
    const own = (await ask('GET', '/auth/projects', undefined, demo)).body['projects']!['0']!['id'];
    expect((await ask('GET', `/projects/${own}`, undefined, demo)).status).toBe(200);
    const other = await create('project', { name: 'foreign' });
    const foreign = await ask('GET', `/projects/${other['id']}`, undefined, demo);
    const missing = await ask('GET', `/projects/${MISSING}`, undefined, demo);
    expect([foreign.status, foreign.body]).toEqual([missing.status, missing.body]);
    expect(foreign.status).toBe(403);
  });
});

describe('users', () => {
  it('never show a password, and log in by the one that was set last', async () => {
    const user = await create('user', { name: 'pw', password: 'first', email: 'x@y' });
    expect(JSON.stringify(user)).not.toMatch(/first|argon|hash/);
    const path = `/users/${user['id']}`;
    expect(JSON.stringify((await ask('GET', path)).body)).not.toMatch(/argon|hash/);
    await bed.logIn('pw', 'first');
    await ask('PATCH', path, { user: { password: 'second' } });
    await expect(bed.logIn('pw', 'first')).rejects.toThrow('401');
    const change = (original_password: string, password: string, token?: string) =>
      bed.ask('POST', `/v3${path}/password`, { token, body: { user: { original_password, password } } });
    expect((await change('wrong', 'third')).status).toBe(401);
    expect((await change('second', 'second')).status).toBe(400);
    expect((await change('second', 'third')).status).toBe(204);
    await bed.logIn('pw', 'third');
    await ask('PATCH', path, { user: { password: null } });
    await expect(bed.logIn('pw', 'third')).rejects.toThrow('401');
  });

  it('see themselves', async () => {
    const { id } = (await bed.ask('GET', '/v3/auth/tokens', { token: demo, headers: { 'x-subject-token': demo } }))
      .body['token']!['user']!;
    expect((await ask('GET', `/users/${id}`, undefined, demo)).status).toBe(200);
    expect((await ask('GET', `/users/${id}/projects`, undefined, demo)).body['projects']).toHaveLength(1);
    expect((await ask('GET', `/users/${id}/groups`, undefined, demo)).body['groups']).toEqual([]);
    expect((await ask('GET', `/users/${MISSING}`, undefined, demo)).status).toBe(403);
    expect((await ask('PATCH', `/users/${id}`, { user: { enabled: false } }, demo)).status).toBe(403);
  });
});

describe('grants', () => {
  it('are given, checked, listed and taken away, on every kind of target', async () => {
    const [user, group, role] = [
      await create('user', { name: 'gu' }),
      await create('group', { name: 'gg' }),
      await create('role', { name: 'gr' }),
    ];
    const project = await create('project', { name: 'gp' });
    const domain = await create('domain', { name: 'gd' });
    const actors = [`users/${user['id']}`, `groups/${group['id']}`];
    const targets = [`/projects/${project['id']}`, `/domains/${domain['id']}`, '/system'];
    for (const actor of actors)
      for (const target of targets) {
        const roles = `${target}/${actor}/roles`;
        const grant = `${roles}/${role['id']}`;
        expect((await ask('GET', grant)).status).toBe(404);
        expect((await ask('PUT', grant)).status).toBe(204);
        expect((await ask('PUT', grant)).status).toBe(204);
        expect((await ask('HEAD', grant)).status).toBe(204);
        expect(names(await ask('GET', roles), 'roles')).toEqual(['gr']);
        expect((await ask('DELETE', grant)).status).toBe(204);
        expect((await ask('DELETE', grant)).status).toBe(404);
      }
    const inherited = `/OS-INHERIT/domains/${domain['id']}/users/${user['id']}/roles/${role['id']}/inherited_to_projects`;
    expect((await ask('PUT', inherited)).status).toBe(204);
    expect((await ask('GET', inherited)).status).toBe(204);
    expect((await ask('PUT', `/projects/${MISSING}/users/${user['id']}/roles/${role['id']}`)).status).toBe(404);
    expect((await ask('PUT', `/projects/${project['id']}/users/${MISSING}/roles/${role['id']}`)).status).toBe(404);
    expect((await ask('PUT', `/projects/${project['id']}/users/${user['id']}/roles/${MISSING}`)).status).toBe(404);
    expect((await ask('PUT', `/projects/${domain['id']}/users/${user['id']}/roles/${role['id']}`)).status).toBe(404);
  });

  it('of a domain-specific role stay within its domain and give only what it implies', async () => {
    const [here, there] = [await create('domain', { name: 'here' }), await create('domain', { name: 'there' })];
    const local = await create('role', { name: 'admin', domain_id: here['id'] });
    const reader = (await ask('GET', '/roles?name=reader')).body['roles']!['0']!;
    expect((await ask('PUT', `/roles/${local['id']}/implies/${reader['id']}`)).status).toBe(201);
    const user = await create('user', { name: 'local', password: 'its-own', domain_id: here['id'] });
    const mine = await create('project', { name: 'mine', domain_id: here['id'] });
    const theirs = await create('project', { name: 'theirs', domain_id: there['id'] });
    const grant = (project: Json) => ask('PUT', `/projects/${project['id']}/users/${user['id']}/roles/${local['id']}`);
    expect((await grant(theirs)).status).toBe(403);
    expect((await grant(mine)).status).toBe(204);
    const answer = await bed.ask('POST', '/v3/auth/tokens', {
      body: {
        auth: {
          identity: { methods: ['password'], password: { user: { id: user['id'], password: 'its-own' } } },
          scope: { project: { id: mine['id'] } },
        },
      },
    });
    expect(answer.body['token']!['roles']).toEqual([{ id: reader['id'], name: 'reader' }]);
    const token = answer.headers.get('x-subject-token')!;
    expect((await ask('GET', '/users', undefined, token)).status).toBe(403);
  });

  it('are listed as they are, and as they take effect', async () => {
    const [user, group] = [await create('user', { name: 'au' }), await create('group', { name: 'ag' })];
    const top = await create('project', { name: 'at' });
    const leaf = await create('project', { name: 'al', parent_id: top['id'] });
    const member = (await ask('GET', '/roles?name=member')).body['roles']!['0']!['id'];
    await ask('PUT', `/groups/${group['id']}/users/${user['id']}`);
    await ask('PUT', `/OS-INHERIT/projects/${top['id']}/groups/${group['id']}/roles/${member}/inherited_to_projects`);
    const list = async (query: string) =>
      (await ask('GET', `/role_assignments?${query}`)).body['role_assignments'] as unknown as Json[];
    expect(await list(`user.id=${user['id']}`)).toEqual([]);
    const [assigned] = await list(`group.id=${group['id']}&include_names`);
    expect(assigned).toMatchObject({
      group: { name: 'ag', domain: { name: 'Default' } },
      role: { name: 'member' },
      scope: { project: { id: top['id'], name: 'at' }, 'OS-INHERIT:inherited_to': 'projects' },
    });
    const effective = await list(`user.id=${user['id']}&effective&include_names`);
    expect(effective.map((one) => [one['role']!['name'], one['scope']!['project']!['name']])).toEqual([
      ['member', 'al'],
      ['reader', 'al'],
    ]);
    expect(effective[1]!['links']).toMatchObject({ membership: expect.any(String), prior_role: expect.any(String) });
    expect(await list(`scope.project.id=${leaf['id']}&effective`)).toHaveLength(2);
    expect(await list(`scope.project.id=${top['id']}&include_subtree`)).toHaveLength(1);
    expect(await list('scope.system=all')).toHaveLength(1);
    expect((await ask('GET', `/role_assignments?effective&group.id=${group['id']}`)).status).toBe(400);
  });
});

describe('roles', () => {
  it('imply others, without circles, and those of the cloud stay', async () => {
    const [a, b] = [await create('role', { name: 'ra' }), await create('role', { name: 'rb' })];
    const path = `/roles/${a['id']}/implies/${b['id']}`;
    expect((await ask('PUT', path)).status).toBe(201);
    expect((await ask('HEAD', path)).status).toBe(204);
    expect((await ask('GET', path)).body['role_inference']).toMatchObject({ implies: { name: 'rb' } });
    expect((await ask('PUT', `/roles/${b['id']}/implies/${a['id']}`)).status).toBe(403);
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
    const admin = (await ask('GET', '/roles?name=admin')).body['roles']!['0']!['id'];
    expect((await ask('DELETE', `/roles/${admin}`)).status).toBe(403);
    expect((await ask('PATCH', `/roles/${admin}`, { role: { name: 'x' } })).status).toBe(403);
    expect((await ask('PUT', `/roles/${a['id']}/implies/${admin}`)).status).toBe(403);
  });
});

describe('the catalog', () => {
  it('shows a change in the next token', async () => {
    const service = await create('service', { type: 'extra', name: 'e' });
    const endpoint = await create('endpoint', {
      service_id: service['id'],
      interface: 'public',
      url: 'http://e/$(project_id)s',
      region: 'made-with-it',
    });
    expect((await ask('GET', '/regions/made-with-it')).status).toBe(200);
    expect((await ask('DELETE', '/regions/made-with-it')).status).toBe(403);
    const shown = async () => {
      const token = await bed.logIn('demo', DEMO_PASSWORD, 'demo');
      const answer = await bed.ask('GET', '/v3/auth/tokens', { token, headers: { 'x-subject-token': token } });
      const { project, catalog } = answer.body['token']! as { project: Json; catalog: Json };
      const entry = (catalog as unknown as Json[]).find(({ type }) => String(type) === 'extra');
      return { project, url: entry?.['endpoints']?.['0']?.['url'] };
    };
    const { project, url } = await shown();
    expect(url).toBe(`http://e/${project['id']}`);
    await ask('PATCH', `/endpoints/${endpoint['id']}`, { endpoint: { enabled: false } });
    expect((await shown()).url).toBeUndefined();
    expect((await ask('DELETE', `/services/${service['id']}`)).status).toBe(204);
    expect((await ask('GET', `/endpoints/${endpoint['id']}`)).status).toBe(404);
  });
});
