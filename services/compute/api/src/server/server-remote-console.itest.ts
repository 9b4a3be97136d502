import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConsoleTokenRepo } from '#services/compute/data';
import { CONSOLE_TOKEN_MS } from '#services/compute/domain';
import { ADMIN, DEMO, OTHER, openStage, READER, type Stage } from '../compute.fixture.js';

let stage: Stage;
let id = '';
const tokens = new ConsoleTokenRepo();
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  id = await stage.boot();
});

const ask = (protocol: string, type: string, options: { as?: typeof DEMO; at?: string } = {}) =>
  stage.ask('POST', `/v2.1/servers/${id}/remote-consoles`, {
    at: '2.6',
    body: { remote_console: { protocol, type } },
    ...options,
  });
const act = (body: unknown, options: { as?: typeof DEMO; at?: string } = {}) =>
  stage.ask('POST', `/v2.1/servers/${id}/action`, { body, ...options });
const tokenIn = (url: string): string => /token(?:=|%3D)([\w-]+)$/.exec(url)?.[1] ?? '';

describe('a console', () => {
  it('is given out with a page and a token that opens it once', async () => {
    const { status, body } = await ask('vnc', 'novnc');
    expect(status).toBe(200);
    const { url, ...rest } = body.remote_console;
    expect(rest).toEqual({ protocol: 'vnc', type: 'novnc' });
    expect(url).toMatch(
      /^http:\/\/cloud\.test\/console\/vnc\.html\?path=console%2Fwebsockify%3Ftoken%3D[A-Za-z0-9_-]{32}$/,
    );
    const { db } = stage.scratch;
    expect(await tokens.redeem(db, tokenIn(url), new Date())).toMatchObject({ serverId: id, type: 'novnc' });
    expect(await tokens.redeem(db, tokenIn(url), new Date())).toBeUndefined();
    expect(await db.query(`select 1 from console_token where encode(hash, 'escape') like $1`, [tokenIn(url)])).toEqual(
      [],
    );
  });

  it('is an action up to 2.5, and gone after', async () => {
    const { status, body } = await act({ 'os-getVNCConsole': { type: 'novnc' } });
    expect([status, body.console.type]).toEqual([200, 'novnc']);
    expect(body.console.url).toContain('/console/vnc.html?path=');
    expect((await act({ 'os-getVNCConsole': { type: 'novnc' } }, { at: '2.6' })).status).toBe(400);
    expect((await act({ 'os-getVNCConsole': { type: 'invalid' } })).status).toBe(400);
    expect((await act({ 'os-getSPICEConsole': { type: 'spice-html5' } })).body.badRequest.message).toBe(
      'Unavailable console type spice-html5.',
    );
  });

  it('of a serial line is the websocket itself', async () => {
    const { body } = await ask('serial', 'serial', { at: '2.8' });
    expect(body.remote_console.url).toMatch(/^ws:\/\/cloud\.test\/console\/websockify\?token=[\w-]{32}$/);
  });

  it('is refused where it is of no kind that there is, of no guest that runs, or of others', async () => {
    expect((await ask('spice', 'spice-html5')).status).toBe(400);
    expect((await ask('vnc', 'webmks')).status).toBe(400);
    expect((await ask('mks', 'webmks', { at: '2.8' })).body.badRequest.message).toBe(
      'Unavailable console type webmks.',
    );
    expect((await ask('vnc', 'novnc', { as: READER })).status).toBe(403);
    expect((await ask('vnc', 'novnc', { as: OTHER })).status).toBe(404);
    await stage.scratch.db.exec(`update server set vm_state = 'stopped', power_state = 4 where id = $1`, [id]);
    const stopped = await ask('vnc', 'novnc');
    expect([stopped.status, stopped.body.conflictingRequest.message]).toEqual([409, `Instance ${id} is not ready`]);
  });
});

describe('a token', () => {
  it('is told to administrators without being used up', async () => {
    const token = tokenIn((await ask('vnc', 'novnc')).body.remote_console.url);
    const path = `/v2.1/os-console-auth-tokens/${token}`;
    expect((await stage.ask('GET', path)).status).toBe(403);
    for (let n = 0; n < 2; n++) {
      const { status, body } = await stage.ask('GET', path, { as: ADMIN });
      expect(status).toBe(200);
      expect(body.console).toEqual({ instance_uuid: id, host: 'node-1', port: 0, internal_access_path: 'vnc' });
    }
    expect((await stage.ask('GET', '/v2.1/os-console-auth-tokens/nothing', { as: ADMIN })).status).toBe(404);
  });

  it('opens nothing once it is late, or its server is elsewhere or gone', async () => {
    const { db } = stage.scratch;
    const fresh = async () => tokenIn((await ask('vnc', 'novnc')).body.remote_console.url);
    const late = await fresh();
    expect(await tokens.redeem(db, late, new Date(Date.now() + CONSOLE_TOKEN_MS + 1_000))).toBeUndefined();
    const moved = await fresh();
    await db.exec('update server set host = null where id = $1', [id]);
    expect(await tokens.redeem(db, moved, new Date())).toBeUndefined();
    await db.exec('delete from server where id = $1', [id]);
    expect(await tokens.find(db, late, new Date())).toBeUndefined();
  });

  it('is used by one of many who try at once', async () => {
    const token = tokenIn((await ask('vnc', 'novnc')).body.remote_console.url);
    const tries = await Promise.all(
      Array.from({ length: 10 }, () => tokens.redeem(stage.scratch.db, token, new Date())),
    );
    expect(tries.filter((open) => open !== undefined)).toHaveLength(1);
  });
});
