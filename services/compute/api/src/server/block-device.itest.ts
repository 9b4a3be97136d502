/** Disks of new servers, as their orders say: what is taken, in either form and at which versions, and what becomes of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN, BIG_IMAGE, DEMO, IMAGE, ORDER, openStage, PORT, type Stage } from '../compute.fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  const flavor = { name: 'disky', id: 'disky', ram: 64, vcpus: 1, disk: 1, swap: 64, 'OS-FLV-EXT-DATA:ephemeral': 2 };
  await stage.ask('POST', '/v2.1/flavors', { as: ADMIN, body: { flavor } });
  await stage.ask('POST', '/v2.1/flavors', {
    as: ADMIN,
    body: { flavor: { ...flavor, name: 'less', id: 'less', 'OS-FLV-EXT-DATA:ephemeral': 1, ram: 65 } },
  });
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.scratch.db.exec('delete from server');
  await stage.scratch.db.exec('delete from quota_usage');
});

const order = { ...ORDER, flavorRef: 'disky', networks: 'none' };
const boot = { source_type: 'image', destination_type: 'local', uuid: IMAGE, boot_index: 0 };
const blank = { source_type: 'blank', destination_type: 'local' };
const post = (more: object, at = '2.90') =>
  stage.ask('POST', '/v2.1/servers', { at, body: { server: { ...order, ...more } } });
const second = (...disks: object[]) => ({ block_device_mapping_v2: disks });
const devices = (id: string) => stage.books.servers.devices.of(stage.scratch.db, id);
const brief = async (id: string) => (await devices(id)).map(({ kind, sizeMb }) => `${kind} ${sizeMb}`);

describe('the disks of a new server', () => {
  it.each([
    ['what the flavor offers', {}, ['root 0', 'ephemeral 2048', 'swap 64']],
    ['the image alone', second(boot), ['root 0', 'ephemeral 2048', 'swap 64']],
    ['a part', second(boot, { ...blank, volume_size: '1', boot_index: null }), ['root 0', 'ephemeral 1024', 'swap 64']],
    ['swap', second(boot, { ...blank, guest_format: 'swap', volume_size: 8 }), ['root 0', 'ephemeral 2048', 'swap 8']],
    ['a device that is none', second(boot, { no_device: true }), ['root 0', 'ephemeral 2048', 'swap 64']],
    [
      'the older form',
      { block_device_mapping: [{ virtual_name: 'ephemeral0', volume_size: 1 }, { virtual_name: 'swap' }] },
      ['root 0', 'ephemeral 1024', 'swap 64'],
    ],
  ])('are %s', async (_what, more, expected) => {
    const made = await post(more);
    expect(made.status).toBe(202);
    expect(await brief(made.body.server.id)).toEqual(expected);
  });

  const volume = { source_type: 'volume', destination_type: 'volume', uuid: PORT, boot_index: 0 };
  it.each([
    ['another image', second({ ...boot, uuid: BIG_IMAGE }), 'combination is not valid.'],
    ['no boot disk', second(blank), 'combination is not valid.'],
    ['an image beside', second(boot, { ...boot, boot_index: 1 }), 'Mapping image to local is not supported.'],
    ['an image in the list alone', { imageRef: '', ...second(boot) }, 'Mapping image to local is not supported.'],
    ['a volume', { imageRef: '', ...second(volume) }, `failed to get volume ${PORT}.`],
    [
      'a volume of the older form',
      { imageRef: '', block_device_mapping: [{ volume_id: PORT }] },
      'failed to get volume',
    ],
    ['a snapshot', second(boot, { ...volume, source_type: 'snapshot', boot_index: -1 }), 'failed to get snapshot'],
    ['no id', second(boot, { source_type: 'volume' }), 'Missing device UUID.'],
    ['an id of nothing', second(boot, { ...blank, uuid: PORT }), 'Invalid device UUID.'],
    ['no source', second(boot, { destination_type: 'local' }), 'Some required fields are missing'],
    ['too much', second(boot, { ...blank, volume_size: 3 }), 'Ephemeral disks requested are larger'],
    [
      'both forms',
      { ...second(boot), block_device_mapping: [{ virtual_name: 'swap' }] },
      'different block_device_mapping',
    ],
    ['an odd entry', { block_device_mapping: [{ device_name: 'vdb' }] }, 'Unrecognized legacy format.'],
    ['a type', second(boot, { ...blank, volume_type: 'fast' }), 'Specifying a volume_type with destination_type=local'],
  ])('are not %s', async (_what, more, message) => {
    const answer = await post(more);
    expect([answer.status, answer.body.badRequest?.message]).toEqual([400, expect.stringContaining(message)]);
  });

  it.each([
    ['2.1', 400],
    ['2.32', 202],
    ['2.33', 400],
    ['2.42', 202],
  ])('bear tags at some versions: %s', async (at, status) => {
    const { networks: _, ...rest } = order;
    const body = {
      server: { ...rest, ...second({ ...boot, tag: 'boot' }), ...(at === '2.42' ? { networks: 'none' } : {}) },
    };
    const answer = await stage.ask('POST', '/v2.1/servers', { at, body });
    expect(answer.status).toBe(status);
    if (status === 202) expect((await devices(answer.body.server.id))[0]).toMatchObject({ kind: 'root', tag: 'boot' });
  });
});

it('do not fit into a flavor that offers less than they take', async () => {
  const resize = async (id: string) =>
    stage.ask('POST', `/v2.1/servers/${id}/action`, { as: DEMO, body: { resize: { flavorRef: 'less' } } });
  const whole = await stage.boot({ body: { flavorRef: 'disky' } });
  expect((await resize(whole)).body.badRequest.message).toContain('Unable to resize disk down.');
  const part = await stage.boot({ body: { flavorRef: 'disky', ...second(boot, { ...blank, volume_size: 1 }) } });
  expect((await resize(part)).status).toBe(202);
  expect(await devices(part)).toMatchObject([
    { toMb: 0 },
    { kind: 'ephemeral', sizeMb: 1024, toMb: 1024 },
    { kind: 'swap' },
  ]);
});

describe('encryption', () => {
  const encrypt = async (id: string, extra_specs: Record<string, string>) => {
    const flavor = { name: id, id, ram: 64, vcpus: 1, disk: 1, swap: 64 };
    await stage.ask('POST', '/v2.1/flavors', { as: ADMIN, body: { flavor } });
    await stage.ask('POST', `/v2.1/flavors/${id}/os-extra_specs`, { as: ADMIN, body: { extra_specs } });
  };
  beforeAll(async () => {
    await encrypt('luks', { 'hw:ephemeral_encryption': 'True', 'hw:ephemeral_encryption_format': 'luks' });
    await encrypt('plain', { 'hw:ephemeral_encryption': 'true', 'hw:ephemeral_encryption_format': 'plain' });
    await encrypt('open', {});
  });

  it('gives every disk a key, which lies sealed', async () => {
    const made = await post({ flavorRef: 'luks' });
    expect((await devices(made.body.server.id)).map(({ encrypted }) => encrypted)).toEqual([true, true]);
    const keys = await stage.scratch.db.query<{ key: Buffer }>('select key from block_device');
    expect(new Set(keys.map(({ key }) => key.toString('hex'))).size).toBe(2);
    const task = await stage.scratch.db.one<{ input: object }>(`select input from task where key = $1`, [
      `server/${made.body.server.id}`,
    ]);
    expect(task!.input).toMatchObject({
      requiredTraits: ['COMPUTE_EPHEMERAL_ENCRYPTION', 'COMPUTE_EPHEMERAL_ENCRYPTION_LUKS'],
    });
  });

  it('is refused in other formats, and where a resize would change it', async () => {
    expect((await post({ flavorRef: 'plain' })).body.badRequest.message).toContain('only as luks');
    const id = await stage.boot({ body: { flavorRef: 'luks' } });
    const answer = await stage.ask('POST', `/v2.1/servers/${id}/action`, { body: { resize: { flavorRef: 'open' } } });
    expect(answer.body.badRequest.message).toContain('can not be encrypted or decrypted by a resize');
    const image = await stage.ask('POST', `/v2.1/servers/${id}/action`, { body: { createImage: { name: 'i' } } });
    expect([image.status, image.body.badRequest.message]).toEqual([400, expect.stringContaining('is encrypted')]);
  });
});
