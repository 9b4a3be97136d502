import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { delay } from '#libs/kernel';
import { ADMIN, type Answer, openStage, PORT, READER, type Stage } from '../compute.fixture.js';

const CANARY = 'canary-new-pass';

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
  await say({ hw_qemu_guest_agent: 'yes' });
});

const act = (body: unknown, options: { as?: typeof READER; at?: string; on?: string } = {}) =>
  stage.ask('POST', `/v2.1/servers/${options.on ?? id}/action`, { body, ...options });
const show = async () => (await stage.ask('GET', `/v2.1/servers/${id}`)).body.server;
/** What the image says. */
const say = (properties: object) =>
  stage.scratch.db.exec(`update server set image = jsonb_set(image, '{properties}', $2) where id = $1`, [
    id,
    JSON.stringify(properties),
  ]);
const change = { changePassword: { adminPass: CANARY } };
const messageOf = ({ body }: Answer): string => (Object.values(body)[0] as { message: string }).message;

/** Ends the task that is waited for as the worker would. */
async function end(state: string, failure: string | null = null, failureKind: string | null = null): Promise<void> {
  const sql = `update task set state = $2, finished_at = now(), failure = $3, failure_kind = $4,
    direction = case when $2 = 'done' then 'do' else 'undo' end where key = $1 and state = 'running'`;
  while ((await stage.scratch.db.exec(sql, [`server/${id}`, state, failure, failureKind])) === 0) await delay(5);
}

describe('a new password', () => {
  it('is in the guest when the answer comes, and in clear nowhere', async () => {
    const asked = act(change);
    await vi.waitFor(async () => expect((await show()).status).toBe('PASSWORD'), 10_000);
    const rows = await stage.scratch.db.query<{ row: string }>(
      `select t::text as row from task t where key = $1 union all
        select s::text || encode(new_pass, 'escape') from server s where new_pass is not null`,
      [`server/${id}`],
    );
    expect(rows).toHaveLength(3);
    expect(JSON.stringify(rows)).not.toContain('canary');
    expect(await stage.books.servers.secrets(stage.books.db, id)).toMatchObject({ newPass: CANARY });
    expect((await act({ 'os-stop': null })).status).toBe(409);
    expect((await act(change)).status).toBe(409);
    await end('done');
    expect(await asked).toMatchObject({ status: 202, body: undefined });
  });

  it.each([
    ['undone', 'Failed to set admin password on X because no', 'conflict', 409],
    ['undone', 'Failed to set admin password on X because its node does not answer', 'unavailable', 409],
    ['stuck', null, null, 409],
    ['undone', 'silent', 'notImplemented', 501],
  ])('that the guest does not take is refused: %s, %s', async (state, failure, kind, status) => {
    const asked = act(change);
    await end(state, failure, kind);
    const answer = await asked;
    expect(answer.status).toBe(status);
    const unsaid = `Failed to set admin password on ${id} because error setting admin password`;
    expect(messageOf(answer)).toBe(status === 501 ? 'Unable to set password on instance' : (failure ?? unsaid));
  });

  it('needs an agent in the guest, a server that runs and is not locked, and a string', async () => {
    for (const properties of [{}, { hw_qemu_guest_agent: 'no' }]) {
      await say(properties);
      const answer = await act(change);
      expect([answer.status, messageOf(answer)]).toEqual([409, 'QEMU guest agent is not enabled']);
      expect(await show()).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    }
    for (const bad of [{ adminPass: 1 }, {}, null, { adminPass: 'x', user: 'y' }])
      expect((await act({ changePassword: bad })).status).toBe(400);
    expect((await act(change, { as: READER })).status).toBe(403);
    expect((await act(change, { on: PORT })).status).toBe(404);
    await act({ lock: null });
    expect(messageOf(await act(change))).toBe(`Instance ${id} is locked`);
    await act({ unlock: null });
    await stage.scratch.db.exec(`update server set vm_state = 'stopped' where id = $1`, [id]);
    expect(messageOf(await act(change))).toBe(`Cannot 'changePassword' instance ${id} while it is in vm_state stopped`);
  });
});

describe('a crash dump', () => {
  const dump = { trigger_crash_dump: null };

  it('is asked of the node, from 2.17 on', async () => {
    expect((await act(dump, { at: '2.16' })).status).toBe(400);
    expect((await act({ trigger_crash_dump: {} }, { at: '2.17' })).status).toBe(400);
    expect(await act(dump, { at: '2.17' })).toMatchObject({ status: 202, body: undefined });
    expect(await show()).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    expect(
      await stage.scratch.db.query(`select kind, input from task where key = $1 and state = 'running'`, [
        `server/${id}`,
      ]),
    ).toEqual([{ kind: 'server.trigger-crash-dump', input: { serverId: id } }]);
    const listed = await stage.ask('GET', `/v2.1/servers/${id}/os-instance-actions`);
    expect(listed.body.instanceActions[0].action).toBe('trigger_crash_dump');
  });

  it('is refused of a server that does not run', async () => {
    await stage.scratch.db.exec(`update server set vm_state = 'stopped' where id = $1`, [id]);
    expect(messageOf(await act(dump, { at: '2.17' }))).toBe(
      `Cannot 'trigger_crash_dump' instance ${id} while it is in vm_state stopped`,
    );
    await stage.scratch.db.exec('update server set host = null where id = $1', [id]);
    expect(messageOf(await act(dump, { at: '2.17' }))).toBe(`Instance ${id} is not ready`);
  });
});

describe('the password that a guest posted', () => {
  const path = () => `/v2.1/servers/${id}/os-server-password`;

  it('is shown to readers as it came, and cleared by members', async () => {
    const { db, passwords } = stage.books;
    expect(await stage.ask('GET', path())).toMatchObject({ status: 200, body: { password: '' } });
    expect((await stage.ask('DELETE', path())).status).toBe(204);
    expect(await passwords.keep(db, id, 'c2VjcmV0')).toBe(true);
    expect(await passwords.keep(db, id, 'other')).toBe(false);
    expect((await stage.ask('GET', path(), { as: READER })).body).toEqual({ password: 'c2VjcmV0' });
    expect((await stage.ask('DELETE', path(), { as: READER })).status).toBe(403);
    expect((await stage.ask('DELETE', path())).status).toBe(204);
    expect((await stage.ask('GET', path())).body).toEqual({ password: '' });
  });
});
