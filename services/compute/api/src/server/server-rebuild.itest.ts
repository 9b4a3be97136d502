import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ADMIN,
  BIG_IMAGE,
  DEMO,
  GROUP,
  IMAGE,
  OTHER,
  openStage,
  QUEUED_IMAGE,
  READER,
  type Stage,
} from '../compute.fixture.js';

let stage: Stage;
let id = '';
beforeAll(async () => {
  stage = await openStage();
  const body = { quota_set: { instances: -1, cores: -1, ram: -1 } };
  await stage.ask('PUT', '/v2.1/os-quota-sets/project-demo', { as: ADMIN, body });
  const public_key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGcXn7Rh2rC0i8+4c9wRrh+UzrHbKUJdHZaB7Jd8cJ0q demo';
  await stage.ask('POST', '/v2.1/os-keypairs', { body: { keypair: { name: 'key', public_key } } });
});
afterAll(() => stage.close());
beforeEach(async () => {
  id = await stage.boot({ body: { metadata: { old: 'x' } } });
});

type Options = { as?: typeof DEMO; at?: string };
const rebuild = (body: Record<string, unknown> = {}, options: Options = {}) =>
  stage.ask('POST', `/v2.1/servers/${id}/action`, { body: { rebuild: { imageRef: IMAGE, ...body } }, ...options });
const row = async () => (await stage.books.servers.find(stage.scratch.db, id))!;
const input = () =>
  stage.scratch.db.one(`select kind, input from task where key = $1 and state <> 'done'`, [`server/${id}`]);
const setState = (vmState: string, taskState: string | null = null) =>
  stage.scratch.db.exec('update server set vm_state = $2, task_state = $3 where id = $1', [id, vmState, taskState]);

describe('a rebuild', () => {
  it('answers with the server, its new password and where it is', async () => {
    const answer = await rebuild({ name: 'new', adminPass: 'secret', metadata: { a: 'b' }, accessIPv4: '1.2.3.4' });
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`http://cloud/compute/v2.1/servers/${id}`);
    expect(answer.body.server).toMatchObject({
      ...{ id, name: 'new', status: 'REBUILD', adminPass: 'secret', metadata: { a: 'b' }, accessIPv4: '1.2.3.4' },
      image: { id: IMAGE },
    });
    for (const name of ['key_name', 'user_data', 'OS-EXT-STS:vm_state', 'security_groups'])
      expect(answer.body.server).not.toHaveProperty(name);
    expect(await input()).toMatchObject({
      kind: 'server.rebuild',
      input: { serverId: id, power: 'running', requiredTraits: [], before: { imageId: IMAGE } },
    });
    expect(JSON.stringify(await input())).not.toContain('secret');
    expect(await row()).toMatchObject({ hostname: 'server', taskState: 'rebuilding', diskEpoch: 1 });
    expect((await stage.books.servers.secrets(stage.scratch.db, id))?.adminPass).toBe('secret');
  });

  it('keeps what is not named, and changes what each version lets change', async () => {
    const userData = 'aGVsbG8=';
    const asked = { description: 'd', key_name: 'key', user_data: userData, hostname: 'other' };
    const { status, body } = await rebuild(asked, { at: '2.90' });
    expect(status).toBe(202);
    expect(body.server).toMatchObject({
      description: 'd',
      key_name: 'key',
      user_data: userData,
      metadata: { old: 'x' },
    });
    expect(body.server['OS-EXT-SRV-ATTR:hostname']).toBe('other');
    expect(await row()).toMatchObject({ keyName: 'key', keyType: 'ssh', hostname: 'other', name: 'server' });
    await setState('error');
    await stage.scratch.db.exec(`update task set state = 'done' where key = $1`, [`server/${id}`]);
    const forgotten = await rebuild({ key_name: null, user_data: null }, { at: '2.57' });
    expect(forgotten.body.server).toMatchObject({ key_name: null, user_data: null });
    expect(await row()).toMatchObject({ keyName: null, keyType: null, keyData: null });
    for (const [field, value, at] of [
      ['description', 'd', '2.18'],
      ['key_name', 'key', '2.53'],
      ['user_data', userData, '2.56'],
      ['personality', [], '2.57'],
      ['hostname', 'h', '2.89'],
    ] as const)
      expect((await rebuild({ [field]: value }, { at })).status, field).toBe(400);
  });

  it('refuses what it can not do, and changes nothing', async () => {
    const before = await row();
    const message = async (body: Record<string, unknown>, options: Options = {}) => {
      const answer = await rebuild(body, options);
      return [answer.status, Object.values<{ message: string }>(answer.body)[0]!.message];
    };
    expect(await message({ imageRef: GROUP })).toEqual([400, 'Cannot find image for rebuild']);
    expect(await message({ imageRef: QUEUED_IMAGE })).toEqual([400, `Image ${QUEUED_IMAGE} is not active.`]);
    expect((await message({ imageRef: BIG_IMAGE }))[1]).toContain("Flavor's disk is too small for requested image.");
    expect(await message({ key_name: 'none' }, { at: '2.54' })).toEqual([400, 'Invalid key_name provided.']);
    expect((await message({ trusted_image_certificates: ['c'] }, { at: '2.63' }))[0]).toBe(400);
    expect((await message({ user_data: '!' }, { at: '2.57' }))[0]).toBe(400);
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`key${i}`, 'v']));
    expect((await message({ metadata: many }))[0]).toBe(403);
    const file = { path: '/a', contents: Buffer.alloc(10_241).toString('base64') };
    expect((await message({ personality: [file] }))[0]).toBe(403);
    for (const body of [{ imageRef: 'x' }, { imageRef: null }, { name: '' }, { extra: 1 }, { metadata: { a: 1 } }])
      expect((await message(body))[0]).toBe(400);
    expect((await rebuild({}, { as: READER })).status).toBe(403);
    expect((await rebuild({}, { as: OTHER })).status).toBe(404);
    expect(await row()).toEqual(before);
  });

  it('takes servers that are active, stopped or broken, one operation at a time', async () => {
    for (const state of ['paused', 'suspended', 'rescued', 'resized', 'shelved', 'shelved_offloaded']) {
      await setState(state);
      const answer = await rebuild();
      expect([answer.status, answer.body.conflictingRequest.message]).toEqual([
        409,
        `Cannot 'rebuild' instance ${id} while it is in vm_state ${state}`,
      ]);
    }
    await setState('stopped', 'powering-on');
    expect((await rebuild()).body.conflictingRequest.message).toContain('while it is in task_state powering-on');
    await setState('stopped');
    const both = await Promise.all([rebuild(), rebuild()]);
    expect(both.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(await input()).toMatchObject({ input: { power: 'stopped' } });
  });

  it('is kept off a locked server, and off one that was never made', async () => {
    await stage.ask('POST', `/v2.1/servers/${id}/action`, { body: { lock: null } });
    expect((await rebuild()).body.conflictingRequest.message).toBe(`Instance ${id} is locked`);
    await stage.scratch.db.exec(`update server set vm_state = 'error', host = null, locked_by = null where id = $1`, [
      id,
    ]);
    expect((await rebuild()).body.conflictingRequest.message).toBe(
      `Instance ${id} is in an invalid state for 'rebuild'`,
    );
  });
});
