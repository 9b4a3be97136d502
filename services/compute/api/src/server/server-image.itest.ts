import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SERVER_SHELVE, serverKey } from '#services/compute/domain';
import { ADMIN, DEMO, fakeImages, IMAGE, OTHER, openStage, PORT, READER, type Stage } from '../compute.fixture.js';

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
const task = () =>
  stage.scratch.db.one<{ kind: string; input: Record<string, unknown> }>(
    `select kind, input from task where key = $1 and state = 'running'`,
    [serverKey(id)],
  );
const set = (vmState: string, more = '') =>
  stage.scratch.db.exec(`update server set vm_state = '${vmState}', task_state = null ${more} where id = $1`, [id]);
const SHELF = `, system_metadata = '{"shelved_image_id": "${IMAGE}", "shelved_at": "2026-01-01T00:00:00.000Z"}'`;
const offload = () => set('shelved_offloaded', `, host = null, hypervisor_id = null, power = 'absent' ${SHELF}`);

describe('createImage', () => {
  it('answers with a Location, and the image is registered with what it inherits', async () => {
    await stage.scratch.db.exec(
      `update server set image = jsonb_set(image, '{properties}', '{"hw_rng_model": "virtio", "img_signature": "x"}')
        where id = $1`,
      [id],
    );
    const answer = await act({ createImage: { name: 'snap', metadata: { purpose: 'test', user_id: 'own' } } });
    expect([answer.status, answer.body]).toEqual([202, undefined]);
    const location = String(answer.headers['location']);
    expect(location).toMatch(/^http:\/\/cloud\/image\/v2\/images\/[0-9a-f-]{36}$/);
    const imageId = location.split('/').at(-1)!;
    const registered = fakeImages.registered.get(imageId);
    expect(registered).toEqual({
      ...{ imageId, owner: 'project-demo', name: 'snap', diskFormat: 'qcow2', minDiskGb: 1, minRamMb: 0 },
      properties: {
        ...{ hw_rng_model: 'virtio', base_image_ref: IMAGE, image_location: 'snapshot', image_state: 'available' },
        ...{
          owner_id: 'project-demo',
          purpose: 'test',
          image_type: 'snapshot',
          instance_uuid: id,
          user_id: 'own',
        },
      },
    });
    const { kind, input } = (await task())!;
    expect([kind, input['serverId'], (input['image'] as { imageId: string }).imageId]).toEqual([
      'server.create-image',
      id,
      imageId,
    ]);
    expect(await show()).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'image_snapshot' });
    const actions = await stage.ask('GET', `/v2.1/servers/${id}/os-instance-actions`);
    expect(actions.body.instanceActions.map((one: { action: string }) => one.action)).toContain('createImage');
  });

  it('answers with the id since 2.45', async () => {
    const answer = await act({ createImage: { name: 'snap' } }, { at: '2.45' });
    expect(answer).toMatchObject({ status: 202, body: { image_id: expect.stringMatching(/^[0-9a-f-]{36}$/) } });
    expect(answer.headers['location']).toBeUndefined();
  });

  it('is refused while anything goes on, and where there is no disk to copy', async () => {
    expect((await act({ createImage: { name: 'a' } })).status).toBe(202);
    const again = await act({ createImage: { name: 'b' } });
    expect([again.status, again.body.conflictingRequest.message]).toEqual([
      409,
      `Cannot 'createImage' instance ${id} while it is in task_state image_snapshot`,
    ]);
    for (const state of ['error', 'rescued', 'resized', 'shelved', 'shelved_offloaded']) {
      await set(state);
      const refused = await act({ createImage: { name: 'b' } });
      expect([refused.status, refused.body.conflictingRequest.message]).toEqual([
        409,
        `Cannot 'createImage' instance ${id} while it is in vm_state ${state}`,
      ]);
    }
    for (const state of ['stopped', 'paused', 'suspended']) {
      await stage.scratch.db.exec(`update task set state = 'done' where key = $1`, [serverKey(id)]);
      await set(state);
      expect((await act({ createImage: { name: state } })).status).toBe(202);
    }
  });

  it('is done for a locked server too', async () => {
    await act({ lock: null });
    expect((await act({ createImage: { name: 'a' } })).status).toBe(202);
  });

  it('knows whose server it is, and what a body is', async () => {
    expect((await act({ createImage: { name: 'a' } }, { as: OTHER })).status).toBe(404);
    expect((await act({ createImage: { name: 'a' } }, { as: READER })).status).toBe(403);
    expect((await act({ createImage: { name: 'a' } }, { on: PORT })).status).toBe(404);
    for (const bad of [
      { createImage: null },
      { createImage: {} },
      { createImage: { name: '' } },
      { createImage: { name: ' a' } },
      { createImage: { name: 'a'.repeat(256) } },
      { createImage: { name: 'a', metadata: { k: 1 } } },
      { createImage: { name: 'a', metadata: { k: 'v'.repeat(256) } } },
      { createImage: { name: 'a', metadata: { ['k'.repeat(256)]: 'v' } } },
      { createImage: { name: 'a', more: 1 } },
      { createImage: { name: 'a' }, more: 1 },
    ])
      expect((await act(bad)).status, JSON.stringify(bad).slice(0, 60)).toBe(400);
    expect(await task()).toBeUndefined();
  });

  it('counts properties up to 2.38', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, 'v']));
    const refused = await act({ createImage: { name: 'a', metadata } });
    expect([refused.status, refused.body.forbidden.message]).toEqual([403, 'Image metadata limit exceeded']);
    expect((await act({ createImage: { name: 'a', metadata } }, { at: '2.39' })).status).toBe(202);
  });

  it('tells what the image service says, and does not need it to answer', async () => {
    expect((await act({ createImage: { name: 'over-quota' } })).status).toBe(403);
    await stage.scratch.db.exec(`update task set state = 'done' where key = $1`, [serverKey(id)]);
    await set('active');
    expect((await act({ createImage: { name: 'away' } })).status).toBe(202);
  });

  it('refuses encrypted disks', async () => {
    await stage.scratch.db.exec(
      `update server set flavor = jsonb_set(flavor, '{extraSpecs}', '{"hw:ephemeral_encryption": "true"}') where id = $1`,
      [id],
    );
    expect((await act({ createImage: { name: 'a' } })).body.badRequest.message).toContain('encrypted');
    expect((await act({ shelve: null })).status).toBe(400);
  });
});

describe('createBackup', () => {
  const backup = { name: 'b', backup_type: 'daily', rotation: 2 };

  it('names the image while any is kept', async () => {
    const answer = await act({ createBackup: { ...backup, rotation: '2', metadata: { a: 'b' } } });
    expect([answer.status, answer.body]).toEqual([202, undefined]);
    const imageId = String(answer.headers['location']).split('/').at(-1)!;
    expect(fakeImages.registered.get(imageId)?.properties).toMatchObject({
      ...{ image_type: 'backup', backup_type: 'daily', instance_uuid: id, a: 'b' },
    });
    expect(await task()).toMatchObject({
      kind: 'server.create-backup',
      input: { serverId: id, backupType: 'daily', rotation: 2 },
    });
    expect((await show())['OS-EXT-STS:task_state']).toBe('image_backup');
  });

  it('names none where none is kept, but since 2.45', async () => {
    const answer = await act({ createBackup: { ...backup, rotation: 0 } });
    expect([answer.status, answer.headers['location']]).toEqual([202, undefined]);
    id = await stage.boot();
    const newer = await act({ createBackup: { ...backup, rotation: 0 } }, { at: '2.45' });
    expect(newer.body.image_id).toHaveLength(36);
  });

  it('refuses what is no backup', async () => {
    for (const bad of [
      { ...backup, rotation: -1 },
      { ...backup, rotation: 'x' },
      { ...backup, rotation: 1.5 },
      { name: 'b', rotation: 1 },
      { ...backup, backup_type: 1 },
      { ...backup, name: '' },
    ])
      expect((await act({ createBackup: bad })).status, JSON.stringify(bad)).toBe(400);
    await set('shelved');
    expect((await act({ createBackup: backup })).body.conflictingRequest.message).toBe(
      `Cannot 'createBackup' instance ${id} while it is in vm_state shelved`,
    );
  });
});

describe('shelving', () => {
  it('asks for an image that bears the name of the server', async () => {
    const answer = await act({ shelve: null });
    expect([answer.status, answer.body]).toEqual([202, undefined]);
    const { kind, input } = (await task())!;
    expect([kind, (input['image'] as { name: string }).name]).toEqual([SERVER_SHELVE, 'server-shelved']);
    expect(await show()).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'shelving' });
    const again = await act({ shelve: null });
    expect(again.body.conflictingRequest.message).toBe(
      `Cannot 'shelve' instance ${id} while it is in task_state shelving`,
    );
  });

  it('obeys locks and states', async () => {
    await act({ lock: null });
    for (const action of ['shelve', 'unshelve'])
      expect((await act({ [action]: null })).body.conflictingRequest.message).toBe(`Instance ${id} is locked`);
    await act({ unlock: null });
    expect((await act({ unshelve: null })).body.conflictingRequest.message).toBe(
      `Cannot 'unshelve' instance ${id} while it is in vm_state active`,
    );
    expect((await act({ shelveOffload: null })).status).toBe(403);
    expect((await act({ shelveOffload: null }, { as: ADMIN })).body.conflictingRequest.message).toBe(
      `Cannot 'shelveOffload' instance ${id} while it is in vm_state active`,
    );
    await set('shelved', SHELF);
    expect((await act({ shelve: null })).status).toBe(409);
    expect((await act({ shelveOffload: null }, { as: ADMIN })).status).toBe(202);
    expect(await task()).toEqual({ kind: 'server.shelve-offload', input: { serverId: id } });
    expect(await show()).toMatchObject({ status: 'SHELVED', 'OS-EXT-STS:task_state': 'shelving_offloading' });
  });

  it('claims a node anew for one that is on none, with the ports that it has', async () => {
    await offload();
    expect(await show()).toMatchObject({ status: 'SHELVED_OFFLOADED', hostId: '' });
    expect((await act({ unshelve: null })).status).toBe(202);
    const { kind, input } = (await task())!;
    expect(kind).toBe('server.unshelve');
    expect(input).toMatchObject({
      imageId: IMAGE,
      place: {
        ...{ serverId: id, onlyHost: '', availabilityZone: 'nova', size: { vcpus: 1, memoryMb: 128, diskGb: 1 } },
        nics: [{ portId: PORT, adopt: false }],
      },
    });
    expect((await show())['OS-EXT-STS:task_state']).toBe('unshelving');
  });

  it('starts one that has kept its place where it is', async () => {
    await set('shelved', SHELF);
    expect((await act({ unshelve: null })).status).toBe(202);
    expect((await task())!.input).toMatchObject({ imageId: IMAGE, place: null });
  });

  it('goes to a zone since 2.77, and to a host since 2.91', async () => {
    await offload();
    expect((await act({ unshelve: { availability_zone: 'nova' } }, { at: '2.76' })).status).toBe(202);
    expect((await show('2.96')).pinned_availability_zone).toBe(null);
    const reset = async () => {
      await stage.scratch.db.exec(`update task set state = 'done' where key = $1`, [serverKey(id)]);
      await offload();
    };
    await reset();
    const at = { at: '2.77' };
    for (const bad of [{}, { availability_zone: null }, { host: 'node-1' }, { availability_zone: 'nova', x: 1 }]) {
      const answer = await act({ unshelve: bad }, at);
      expect(answer.status, JSON.stringify(bad)).toBe(Object.keys(bad).length ? 400 : 202);
      await reset();
    }
    const none = await act({ unshelve: { availability_zone: 'moon' } }, at);
    expect([none.status, none.body.badRequest.message]).toEqual([
      400,
      'The requested availability zone is not available',
    ]);
    expect((await act({ unshelve: { availability_zone: 'nova' } }, at)).status).toBe(202);
    expect((await show('2.96')).pinned_availability_zone).toBe('nova');
    await reset();
    const newest = { at: '2.91' };
    expect((await act({ unshelve: { host: 'node-1' } }, newest)).status).toBe(403);
    expect((await act({ unshelve: { availability_zone: null } }, newest)).status).toBe(202);
    expect((await show('2.96')).pinned_availability_zone).toBe(null);
    await reset();
    const asAdmin = { ...newest, as: ADMIN };
    const unknown = await act({ unshelve: { host: 'node-9' } }, asAdmin);
    expect([unknown.status, unknown.body.badRequest.message]).toEqual([400, 'Compute host node-9 could not be found.']);
    await stage.scratch.db.exec(`update server set pinned_zone = 'other' where id = $1`, [id]);
    expect((await act({ unshelve: { host: 'node-1' } }, asAdmin)).status).toBe(409);
    expect((await act({ unshelve: { host: 'node-1', availability_zone: 'nova' } }, asAdmin)).status).toBe(202);
    expect((await task())!.input).toMatchObject({ place: { onlyHost: 'node-1', availabilityZone: 'nova' } });
    await reset();
    await set('shelved', `, host = 'node-1' ${SHELF}`);
    const placed = await act({ unshelve: { availability_zone: 'nova' } }, at);
    expect([placed.status, placed.body.conflictingRequest.message]).toEqual([
      409,
      expect.stringContaining('The server status must be SHELVED_OFFLOADED'),
    ]);
  });
});
