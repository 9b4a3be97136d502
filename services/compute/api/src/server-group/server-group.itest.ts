import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, DEMO, ORDER, OTHER, openStage, READER, type Stage } from '../compute.fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const ask = (method: string, path: string, at = '2.1', body?: unknown, as = DEMO) =>
  stage.ask(method, `/v2.1${path}`, { as, at, ...(body ? { body } : {}) });
const create = (server_group: unknown, at = '2.64', as = DEMO) =>
  ask('POST', '/os-server-groups', at, { server_group }, as);
const made = async (policy = 'anti-affinity', as = DEMO): Promise<string> =>
  (await create({ name: 'g', policy }, '2.64', as)).body.server_group.id;

describe('server groups', () => {
  it('speak as each microversion does', async () => {
    const old = await create({ name: 'old', policies: ['affinity'] }, '2.1');
    const { id } = old.body.server_group;
    const oldest = { id, name: 'old', policies: ['affinity'], metadata: {}, members: [] };
    expect([old.status, old.body.server_group]).toEqual([200, oldest]);
    const owner = { project_id: DEMO.project, user_id: DEMO.user };
    expect((await ask('GET', `/os-server-groups/${id}`, '2.13')).body.server_group).toEqual({ ...oldest, ...owner });
    const now = { id, name: 'old', policy: 'affinity', rules: {}, members: [], ...owner };
    expect((await ask('GET', `/os-server-groups/${id}`, '2.64')).body.server_group).toEqual(now);
    const ruled = await create({ name: 'r', policy: 'anti-affinity', rules: { max_server_per_host: '3' } });
    expect(ruled.body.server_group.rules).toEqual({ max_server_per_host: 3 });
    expect((await create({ name: 's', policies: ['soft-affinity'] }, '2.15')).status).toBe(200);
  });

  it('refuse what their version does not know', async () => {
    const bad: readonly (readonly [unknown, string])[] = [
      [{ name: 'x', policies: ['soft-affinity'] }, '2.14'],
      [{ name: 'x', policies: [] }, '2.1'],
      [{ name: 'x', policies: ['affinity', 'anti-affinity'] }, '2.1'],
      [{ name: 'x', policy: 'affinity' }, '2.63'],
      [{ name: 'x', policies: ['affinity'] }, '2.64'],
      [{ name: '', policy: 'affinity' }, '2.64'],
      [{ name: 'x', policy: 'affinity', rules: { max_server_per_host: 2 } }, '2.64'],
      [{ name: 'x', policy: 'anti-affinity', rules: { max_server_per_host: 0 } }, '2.64'],
      [{ name: 'x', policy: 'anti-affinity', rules: { other: 1 } }, '2.64'],
      [{ name: 'x', policy: 'legacy' }, '2.64'],
    ];
    for (const [group, at] of bad) expect([group, (await create(group, at)).status]).toEqual([group, 400]);
  });

  it('belong to projects', async () => {
    const id = await made('affinity', OTHER);
    for (const method of ['GET', 'DELETE']) expect((await ask(method, `/os-server-groups/${id}`)).status).toBe(404);
    expect((await ask('GET', `/os-server-groups/${id}`, '2.1', undefined, ADMIN)).status).toBe(200);
    const ids = async (query: string, as = DEMO): Promise<string[]> =>
      (await ask('GET', `/os-server-groups${query}`, '2.1', undefined, as)).body.server_groups.map(
        (group: { id: string }) => group.id,
      );
    expect(await ids('?all_projects=1')).not.toContain(id);
    expect(await ids('?all_projects=1', ADMIN)).toContain(id);
    expect(await ids('', ADMIN)).not.toContain(id);
    expect(await ids('?limit=1&offset=1', OTHER)).toEqual([]);
    expect((await ask('GET', '/os-server-groups?colour=red', '2.75')).status).toBe(400);
    expect((await create({ name: 'x', policy: 'affinity' }, '2.64', READER)).status).toBe(403);
    expect((await ask('DELETE', `/os-server-groups/${id}`, '2.1', undefined, OTHER)).status).toBe(204);
    const gone = await ask('GET', `/os-server-groups/${id}`, '2.1', undefined, OTHER);
    expect([gone.status, gone.body.itemNotFound.message]).toEqual([404, `Instance group ${id} could not be found.`]);
  });

  it('are limited in number, by project and by user', async () => {
    const quota = (quota_set: unknown, query = '') =>
      ask('PUT', `/os-quota-sets/${OTHER.project}${query}`, '2.1', { quota_set }, ADMIN);
    await quota({ server_groups: 2 });
    await Promise.all(Array.from({ length: 6 }, () => create({ name: 'g', policy: 'affinity' }, '2.64', OTHER)));
    const over = await create({ name: 'g', policy: 'affinity' }, '2.64', OTHER);
    expect([over.status, over.body.forbidden.message]).toEqual([403, 'Quota exceeded, too many server groups.']);
    const limits = await ask('GET', '/limits', '2.1', undefined, OTHER);
    expect(limits.body.limits.absolute).toMatchObject({ maxServerGroups: 2, totalServerGroupsUsed: 2 });
    await quota({ server_groups: 5 });
    await quota({ server_groups: 2 }, `?user_id=${OTHER.user}`);
    expect((await create({ name: 'g', policy: 'affinity' }, '2.64', OTHER)).status).toBe(403);
  });
});

describe('a server of a group', () => {
  const order = (hints: unknown, server = {}, as = DEMO) =>
    ask('POST', '/servers', '2.1', { server: { ...ORDER, ...server }, 'os:scheduler_hints': hints }, as);

  it('is its member until it is gone, or the group is', async () => {
    const group = await made();
    const { id } = (await order({ group })).body.server;
    expect((await ask('GET', `/os-server-groups/${group}`)).body.server_group.members).toEqual([id]);
    expect((await ask('GET', `/servers/${id}`, '2.71')).body.server.server_groups).toEqual([group]);
    const second = (await order({ group: group.toUpperCase() })).body.server.id;
    await stage.scratch.db.exec('delete from task');
    await stage.scratch.db.tx((tx) => stage.books.servers.bury(tx, id, new Date()));
    expect((await ask('GET', `/os-server-groups/${group}`)).body.server_group.members).toEqual([second]);
    expect((await ask('DELETE', `/os-server-groups/${group}`)).status).toBe(204);
    expect((await ask('GET', `/servers/${second}`, '2.71')).body.server.server_groups).toEqual([]);
  });

  it('needs a group of its own project, named by its id, with room for it', async () => {
    const foreign = await made('affinity', ADMIN);
    for (const group of [foreign, 'g', '00000000-0000-4000-8000-000000000000', 7])
      expect([group, (await order({ group })).status]).toEqual([group, 400]);
    const group = await made();
    await ask('PUT', `/os-quota-sets/${DEMO.project}`, '2.1', { quota_set: { server_group_members: 2 } }, ADMIN);
    const before = (await ask('GET', '/servers')).body.servers.length;
    const over = await order({ group }, { min_count: 3 });
    expect([over.status, over.body.forbidden.message]).toEqual([403, 'Quota exceeded, too many servers in group']);
    expect((await ask('GET', '/servers')).body.servers).toHaveLength(before);
    expect((await order({ group }, { min_count: 2 })).status).toBe(202);
    expect((await order({ group })).status).toBe(403);
  });

  it('takes hints that mean nothing here, and refuses misshapen ones', async () => {
    const { status } = await order({ query: '[">=","$free_ram_mb",1]', build_near_host_ip: '10.0.0.1', other: [1] });
    expect(status).toBe(202);
    for (const hints of [{ build_near_host_ip: 'x y' }, { same_host: 'x' }, { different_host: [1] }, { query: 1 }])
      expect([hints, (await order(hints)).status]).toEqual([hints, 400]);
  });
});
