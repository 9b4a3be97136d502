import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN, DEMO, GROUP, IMAGE, OTHER, openStage, QUEUED_IMAGE, READER, type Stage } from '../compute.fixture.js';

let stage: Stage;
let id = '';
beforeAll(async () => {
  stage = await openStage();
  const body = { quota_set: { instances: -1, cores: -1, ram: -1 } };
  await stage.ask('PUT', '/v2.1/os-quota-sets/project-demo', { as: ADMIN, body });
});
afterAll(() => stage.close());
beforeEach(async () => {
  id = await stage.boot();
});

const act = (body: unknown, as = DEMO) => stage.ask('POST', `/v2.1/servers/${id}/action`, { body, as });
const tasks = () =>
  stage.scratch.db.query(`select kind, input from task where key = $1 and state <> 'done'`, [`server/${id}`]);
const setState = (vmState: string) =>
  stage.scratch.db.exec('update server set vm_state = $2, task_state = null where id = $1', [id, vmState]);

describe('rescue', () => {
  it('answers with the password, its own or the one given, and boots from the own image by default', async () => {
    const answer = await act({ rescue: { adminPass: 'secret' } });
    expect([answer.status, answer.body]).toEqual([200, { adminPass: 'secret' }]);
    const [task] = await tasks();
    expect(task).toMatchObject({
      kind: 'server.rescue',
      input: { serverId: id, generation: 2, rescue: { imageId: IMAGE, epoch: 2, made: false } },
    });
    expect(JSON.stringify(task)).not.toContain('secret');
    expect((await stage.books.servers.secrets(stage.scratch.db, id))?.adminPass).toBe('secret');
    expect((await act({ rescue: null })).status).toBe(409);
    id = await stage.boot();
    expect((await act({ rescue: null })).body.adminPass).toMatch(/^[\w-]{12}$/);
    id = await stage.boot();
    expect((await act({ rescue: { rescue_image_ref: IMAGE } })).status).toBe(200);
  });

  it('refuses images it can not use, and bodies that say something else', async () => {
    for (const image of [GROUP, QUEUED_IMAGE]) {
      const { status, body } = await act({ rescue: { rescue_image_ref: image } });
      expect([status, body.badRequest.message]).toEqual([400, `Requested rescue image '${image}' is not supported`]);
    }
    for (const rescue of [{ rescue_image_ref: 'x' }, { rescue_image_ref: null }, { other: 1 }, 'x', { adminPass: 1 }])
      expect((await act({ rescue })).status).toBe(400);
    expect((await act({ rescue: null }, READER)).status).toBe(403);
    expect((await act({ rescue: null }, OTHER)).status).toBe(404);
    expect(await tasks()).toEqual([]);
  });

  it('takes servers that are active, stopped or broken, and lets a rescued one only go back', async () => {
    for (const state of ['paused', 'suspended', 'resized', 'shelved', 'rescued']) {
      await setState(state);
      expect((await act({ rescue: null })).body.conflictingRequest.message).toBe(
        `Cannot 'rescue' instance ${id} while it is in vm_state ${state}`,
      );
    }
    for (const body of [
      { reboot: { type: 'HARD' } },
      { 'os-stop': null },
      { 'os-start': null },
      { rebuild: { imageRef: IMAGE } },
    ])
      expect((await act(body)).status, JSON.stringify(body)).toBe(409);
    await act({ lock: null });
    expect((await act({ unrescue: null })).status).toBe(409);
    await act({ unlock: null });
    const answer = await act({ unrescue: null });
    expect([answer.status, answer.body]).toEqual([202, undefined]);
    expect(await tasks()).toMatchObject([{ kind: 'server.unrescue', input: { serverId: id } }]);
    await setState('active');
    expect((await act({ unrescue: null })).body.conflictingRequest.message).toBe(
      `Cannot 'unrescue' instance ${id} while it is in vm_state active`,
    );
  });
});
