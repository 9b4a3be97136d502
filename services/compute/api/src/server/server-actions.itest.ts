import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN, DEMO, openStage, PORT, READER, type Stage } from '../compute.fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  const body = { quota_set: { instances: -1, cores: -1, ram: -1 } };
  await stage.ask('PUT', '/v2.1/os-quota-sets/project-demo', { as: ADMIN, body });
});
afterAll(() => stage.close());

let id = '';
beforeEach(async () => {
  id = await stage.boot();
});

const act = (body: unknown, options: { as?: typeof DEMO; at?: string; on?: string } = {}) =>
  stage.ask('POST', `/v2.1/servers/${options.on ?? id}/action`, { body, ...options });
const show = async (at?: string) => (await stage.ask('GET', `/v2.1/servers/${id}`, at ? { at } : {})).body.server;
const tasks = () =>
  stage.scratch.db.query(`select kind, input from task where key = $1 and state <> 'done'`, [`server/${id}`]);

describe('power', () => {
  it('stops an active server, once', async () => {
    const answer = await act({ 'os-stop': null });
    expect([answer.status, answer.body]).toEqual([202, undefined]);
    expect(await show()).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'powering-off' });
    expect(await tasks()).toEqual([{ kind: 'server.stop', input: { serverId: id, generation: 2 } }]);
    expect((await act({ 'os-stop': null })).status).toBe(409);
    expect((await act({ 'os-start': null })).status).toBe(409);
  });

  it('reboots softly and hard', async () => {
    expect((await act({ reboot: { type: 'HARD' } })).status).toBe(202);
    expect((await show()).status).toBe('HARD_REBOOT');
    expect(await tasks()).toEqual([
      { kind: 'server.reboot', input: { serverId: id, generation: 2, rebootCount: 1, kind: 'HARD' } },
    ]);
    id = await stage.boot();
    expect((await act({ reboot: { type: 'soft' } })).status).toBe(202);
    expect((await show()).status).toBe('REBOOT');
    const listed = await stage.ask('GET', '/v2.1/servers?status=REBOOT');
    expect(listed.body.servers.map((row: { id: string }) => row.id)).toEqual([id]);
    for (const bad of [
      { reboot: {} },
      { reboot: { type: 'GENTLE' } },
      { reboot: null },
      { reboot: { type: 'SOFT' }, x: 1 },
    ])
      expect((await act(bad)).status).toBe(400);
  });

  it('reboots hard while a reboot is under way, once more and no oftener, and a delete goes before that', async () => {
    const all = () =>
      stage.scratch.db.query(
        `select kind, state, cancelled, input->>'kind' as how from task where key = $1 and state <> 'done' order by created_at`,
        [`server/${id}`],
      );
    await act({ reboot: { type: 'SOFT' } });
    expect((await act({ reboot: { type: 'SOFT' } })).status).toBe(409);
    for (const _ of [1, 2]) expect((await act({ reboot: { type: 'HARD' } })).status).toBe(202);
    expect((await show()).status).toBe('HARD_REBOOT');
    const soft = { kind: 'server.reboot', state: 'running', cancelled: true, how: 'SOFT' };
    const hard = { kind: 'server.reboot', cancelled: false, how: 'HARD' };
    expect(await all()).toEqual([soft, { ...hard, state: 'queued' }]);
    expect((await stage.ask('DELETE', `/v2.1/servers/${id}`)).status).toBe(204);
    expect(await all()).toEqual([
      soft,
      { ...hard, state: 'abandoned' },
      { kind: 'server.delete', state: 'queued', cancelled: false, how: null },
    ]);
  });

  it('refuses what does not fit, before it tells whether there is a server', async () => {
    expect((await act({ 'os-start': null })).status).toBe(409);
    expect((await act({ 'os-stop': null }, { as: READER })).status).toBe(403);
    expect((await act({ 'os-stop': null }, { on: PORT })).status).toBe(404);
    expect((await act({ shelveOffload: null }, { on: PORT, as: ADMIN })).status).toBe(404);

    expect((await act({ dance: null })).status).toBe(400);
    expect((await act({})).status).toBe(400);
    expect((await act([])).status).toBe(400);
    expect((await act('"os-stop"')).status).toBe(400);
    expect((await act('{"os-stop":')).status).toBe(400);
    expect((await act('{"__proto__": {"os-stop": null}}')).status).toBe(400);
    expect((await act(`{"os-stop": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`)).status).toBeLessThan(500);
  });

  it('lets administrators reset the state', async () => {
    expect((await act({ 'os-resetState': { state: 'error' } })).status).toBe(403);
    expect((await act({ 'os-resetState': { state: 'invalid' } }, { as: ADMIN })).status).toBe(400);
    expect((await act({ 'os-resetState': { state: 1 } }, { as: ADMIN })).status).toBe(400);
    expect((await act({ 'os-resetState': { state: 'error' } }, { as: ADMIN, on: '999' })).status).toBe(404);
    expect((await act({ 'os-resetState': { state: 'error' } }, { as: ADMIN })).status).toBe(202);
    expect((await show()).status).toBe('ERROR');
    expect((await act({ 'os-resetState': { state: 'active' } }, { as: ADMIN })).status).toBe(202);
    expect((await show()).status).toBe('ACTIVE');
  });
});

describe('locks', () => {
  it('keep members out, and let administrators through', async () => {
    expect((await act({ lock: { locked_reason: 'busy' } }, { at: '2.73' })).status).toBe(202);
    expect(await show('2.73')).toMatchObject({ locked: true, locked_reason: 'busy' });
    expect((await act({ 'os-stop': null })).status).toBe(409);
    expect((await stage.ask('DELETE', `/v2.1/servers/${id}`)).status).toBe(409);
    const metadata = { body: { metadata: { a: 'b' } } };
    expect((await stage.ask('POST', `/v2.1/servers/${id}/metadata`, metadata)).status).toBe(409);
    expect((await act({ unlock: null })).status).toBe(202);
    expect((await act({ lock: null }, { as: ADMIN })).status).toBe(202);
    expect((await act({ unlock: null })).status).toBe(403);
    expect((await act({ 'os-stop': null }, { as: ADMIN })).status).toBe(202);
  });
});

describe('the console', () => {
  it('gives the tail without control characters', async () => {
    expect((await act({ 'os-getConsoleOutput': { length: 50 } })).body).toEqual({ output: 'booted\nlines 50[0m\n' });
    expect((await act({ 'os-getConsoleOutput': {} })).body.output).toContain('lines 0');
    expect((await act({ 'os-getConsoleOutput': null })).status).toBe(200);
    expect((await act({ 'os-getConsoleOutput': { length: '-1' } })).body.output).toContain('lines 0');
    for (const length of ['many', -2, 1.5]) expect((await act({ 'os-getConsoleOutput': { length } })).status).toBe(400);
    expect((await act({ 'os-getConsoleOutput': {} }, { as: READER })).status).toBe(403);
  });
});

describe('security groups', () => {
  it('change on the ports and show on the server', async () => {
    expect((await act({ addSecurityGroup: { name: 'web' } })).status).toBe(202);
    expect((await show()).security_groups).toEqual([{ name: 'default' }, { name: 'web' }]);
    expect((await act({ removeSecurityGroup: { name: 'default' } })).status).toBe(202);
    expect(await show()).not.toHaveProperty('security_groups');
    expect((await act({ addSecurityGroup: { name: 'none' } })).status).toBe(404);
    expect((await act({ addSecurityGroup: {} })).status).toBe(400);
  });
});

describe('metadata', () => {
  const path = (suffix = '') => `/v2.1/servers/${id}/metadata${suffix}`;
  const ask = async (method: string, suffix = '', body?: unknown) => {
    const answer = await stage.ask(method, path(suffix), body === undefined ? {} : { body });
    return answer.status === 200 ? answer.body : answer.status;
  };

  it('is replaced, merged and removed', async () => {
    expect(await ask('PUT', '', { metadata: { key1: 'value1', key2: 'value2' } })).toEqual({
      metadata: { key1: 'value1', key2: 'value2' },
    });
    expect(await ask('POST', '', { metadata: { key1: 'alt', key3: 'x' } })).toEqual({
      metadata: { key1: 'alt', key2: 'value2', key3: 'x' },
    });
    expect(await ask('POST', '', { metadata: {} })).toEqual({ metadata: { key1: 'alt', key2: 'value2', key3: 'x' } });
    expect(await ask('GET', '/key2')).toEqual({ meta: { key2: 'value2' } });
    expect(await ask('PUT', '/nova', { meta: { nova: 'alt' } })).toEqual({ meta: { nova: 'alt' } });
    expect(await ask('DELETE', '/key1')).toBe(204);
    expect(await ask('DELETE', '/key1')).toBe(404);
    expect(await ask('GET', '/key1')).toBe(404);
    expect(await ask('GET')).toEqual({ metadata: { key2: 'value2', key3: 'x', nova: 'alt' } });
  });

  it('loses nothing to concurrent writers', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, i) => ask('PUT', `/k${i}`, { meta: { [`k${i}`]: 'v' } })));
    expect(Object.keys((await ask('GET')).metadata)).toHaveLength(12);
  });

  it('refuses bad items and too many', async () => {
    expect(await ask('PUT', '/key', { meta: { testkey: 'v' } })).toBe(400);
    expect(await ask('PUT', '/a', { meta: { a: 'b', c: 'd' } })).toBe(400);
    for (const body of [
      { metadata: { '': 'x' } },
      { metadata: { a: 'b'.repeat(256) } },
      { meta1: 'data1' },
      { metadata: null },
      { metadata: { a: null } },
    ]) {
      expect(await ask('PUT', '', body)).toBe(400);
      expect(await ask('POST', '', body)).toBe(400);
    }
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`key${i}`, 'v']));
    expect(await ask('PUT', '', { metadata: many })).toBe(403);
    expect(await ask('POST', '', { metadata: many })).toBe(403);
    expect((await stage.ask('GET', `/v2.1/servers/${PORT}/metadata/a`)).status).toBe(404);
  });
});

describe('tags', () => {
  const tag = (method: string, suffix = '', body?: unknown, at = '2.26') =>
    stage.ask(method, `/v2.1/servers/${id}/tags${suffix}`, { at, ...(body ? { body } : {}) });

  it('come, are found and go', async () => {
    expect((await tag('GET', '', undefined, '2.25')).status).toBe(404);
    const made = await tag('PUT', '/one');
    expect([made.status, made.body, made.headers['location']]).toEqual([
      201,
      undefined,
      `http://cloud/compute/v2.1/servers/${id}/tags/one`,
    ]);
    expect((await tag('PUT', '/one')).status).toBe(204);
    expect((await tag('GET', '/one')).status).toBe(204);
    expect((await tag('GET', '/two')).status).toBe(404);
    expect((await tag('PUT', '', { tags: ['b', 'a'] })).body).toEqual({ tags: ['a', 'b'] });
    expect((await stage.ask('GET', '/v2.1/servers?tags=a,b', { at: '2.26' })).body.servers).toHaveLength(1);
    expect((await tag('DELETE', '/a')).status).toBe(204);
    expect((await tag('DELETE', '/a')).status).toBe(404);
    expect((await tag('DELETE')).status).toBe(204);
    expect((await tag('GET')).body).toEqual({ tags: [] });
    expect((await tag('PUT', '', { tags: ['x,y'] })).status).toBe(400);
    expect((await tag('PUT', `/${'x'.repeat(61)}`)).status).toBe(400);
    expect((await tag('PUT', '', { tags: Array.from({ length: 51 }, (_, i) => `t${i}`) })).status).toBe(400);
  });
});

describe('history', () => {
  it('shows what was done, and of deleted servers from 2.21 on', async () => {
    await act({ reboot: { type: 'HARD' } });
    const path = `/v2.1/servers/${id}/os-instance-actions`;
    const listed = await stage.ask('GET', path);
    expect(listed.body.instanceActions.map(({ action }: { action: string }) => action)).toEqual(['reboot', 'create']);
    const [, create] = listed.body.instanceActions;
    const shown = await stage.ask('GET', `${path}/${create.request_id}`);
    expect(shown.body.instanceAction).toMatchObject({ action: 'create', instance_uuid: id });
    expect(shown.body.instanceAction).not.toHaveProperty('events');
    expect((await stage.ask('GET', `${path}/${create.request_id}`, { at: '2.51' })).body.instanceAction.events).toEqual(
      [],
    );
    expect((await stage.ask('GET', `${path}/999`)).status).toBe(404);
    expect((await stage.ask('GET', `/v2.1/servers/${PORT}/os-instance-actions`)).status).toBe(404);
    expect((await stage.ask('GET', `${path}?limit=1`, { at: '2.58' })).body.links[0].rel).toBe('next');
    await stage.scratch.db.tx((tx) => stage.books.servers.bury(tx, id, new Date()));
    expect((await stage.ask('GET', path)).status).toBe(404);
    expect((await stage.ask('GET', path, { at: '2.21' })).body.instanceActions).toHaveLength(2);
  });
});
