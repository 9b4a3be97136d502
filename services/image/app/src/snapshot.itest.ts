/** Images that compute makes of servers: registered, filled by a node over a signed URL, discarded, rotated. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageV1 } from '#libs/contract';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let remote: Remote<imageV1.ImagesService>;
beforeAll(async () => {
  bed = await testbed({ options: { quotaBytes: 1_000_000, quotaImages: 20 } });
  remote = connectGrpc(imageV1.ImagesService, [`127.0.0.1:${bed.grpcPort}`], 'image', bed.tls('compute'));
});
afterAll(async () => {
  remote.close();
  await bed.close();
});

const request = (part: Partial<imageV1.RegisterRequest> = {}): imageV1.RegisterRequest =>
  imageV1.RegisterRequest.fromPartial({
    imageId: randomUUID(),
    owner: 'p1',
    name: 'snap',
    diskFormat: 'raw',
    minDiskGb: 1,
    minRamMb: 64,
    properties: { image_type: 'snapshot', instance_uuid: 's1' },
    ...part,
  });
const shown = async (id: string, project = 'p1'): Promise<{ code: number; status?: unknown }> => {
  const answer = await fetch(`${bed.url}/v2/images/${id}`, { headers: { 'x-auth-token': bed.token(project) } });
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  return { ...body, code: answer.status };
};
const send = (url: string, bytes: Buffer) => fetch(url, { method: 'PUT', body: new Uint8Array(bytes) });
const files = () => ['incoming', 'images'].flatMap((folder) => readdirSync(join(bed.storeDir, folder)));

async function filled(part: Partial<imageV1.RegisterRequest> = {}): Promise<string> {
  const wish = request(part);
  await remote.register(wish);
  const { url } = await remote.admit({ imageId: wish.imageId, node: 'node-1' });
  expect((await send(url, randomBytes(1_000))).status).toBe(204);
  return wish.imageId;
}

it('registers once, and its owner sees it at once', async () => {
  const wish = request();
  expect(await remote.register(wish)).toMatchObject({ id: wish.imageId, status: 'queued', owner: 'p1' });
  expect(await remote.register(wish)).toMatchObject({ id: wish.imageId, status: 'queued' });
  expect(await shown(wish.imageId)).toMatchObject({
    ...{ code: 200, status: 'queued', visibility: 'private', owner: 'p1', min_disk: 1, min_ram: 64, name: 'snap' },
    ...{ image_type: 'snapshot', instance_uuid: 's1', disk_format: 'raw', container_format: 'bare' },
  });
  expect((await shown(wish.imageId, 'p2')).code).toBe(404);
  expect(await shown(`${wish.imageId}/tasks`)).toEqual({ code: 200, tasks: [] });
  await expect(remote.register({ ...wish, owner: 'p2' })).rejects.toMatchObject({ kind: 'conflict' });
  await expect(remote.register(request({ properties: { status: 'active' } }))).rejects.toMatchObject({
    kind: 'forbidden',
  });
  const both = request();
  const twice = await Promise.all([remote.register(both), remote.register(both)]);
  expect(twice.map(({ id }) => id)).toEqual([both.imageId, both.imageId]);
  await remote.discard({ imageId: wish.imageId, owner: 'p1' });
  await remote.discard({ imageId: both.imageId, owner: 'p1' });
});

it('takes the bytes of the node that was admitted, once', async () => {
  const wish = request();
  await remote.register(wish);
  const { url } = await remote.admit({ imageId: wish.imageId, node: 'node-1' });
  const bytes = randomBytes(200_000);
  for (const spoilt of [url.replace('node-1', 'node-2'), url.replace(wish.imageId, randomUUID()), `${url}A`])
    expect((await send(spoilt, bytes)).status).toBe(403);
  expect((await fetch(url)).status).toBe(403);
  expect((await send(url, bytes)).status).toBe(204);
  expect(await shown(wish.imageId)).toMatchObject({ status: 'active', size: 200_000 });
  expect((await send(url, randomBytes(10))).status).toBe(200);
  expect(await shown(wish.imageId)).toMatchObject({ status: 'active', size: 200_000 });
  expect((await remote.admit({ imageId: wish.imageId, node: 'node-1' })).url).toBe('');
  const { url: reading } = await remote.locate({ imageId: wish.imageId, node: 'node-1' });
  expect((await send(reading, bytes)).status).toBe(403);
  expect(Buffer.from(await (await fetch(reading)).arrayBuffer()).equals(bytes)).toBe(true);
  await remote.discard({ imageId: wish.imageId, owner: 'p1' });
});

it('tells the node why bytes are not taken, and keeps none of them', async () => {
  const before = files().length;
  const liar = request({ diskFormat: 'qcow2' });
  await remote.register(liar);
  const { url } = await remote.admit({ imageId: liar.imageId, node: 'node-1' });
  const refused = await send(url, randomBytes(5_000));
  expect([refused.status, await refused.json()]).toEqual([415, { message: expect.stringContaining('qcow2') }]);
  expect((await shown(liar.imageId)).status).toBe('queued');
  const large = request();
  await remote.register(large);
  const admitted = await remote.admit({ imageId: large.imageId, node: 'node-1' });
  const over = await send(admitted.url, randomBytes(1_100_000));
  expect([over.status, await over.json()]).toEqual([413, { message: expect.stringContaining('quota') }]);
  await remote.discard({ imageId: large.imageId, owner: 'p1' });
  expect((await send(admitted.url, randomBytes(10))).status).toBe(410);
  await expect(remote.admit({ imageId: large.imageId, node: 'node-1' })).rejects.toMatchObject({ kind: 'notFound' });
  await remote.discard({ imageId: liar.imageId, owner: 'p1' });
  expect(files()).toHaveLength(before);
});

it('refuses an id for good once it was discarded, known or not', async () => {
  const id = await filled();
  await remote.discard({ imageId: id, owner: 'p1' });
  await remote.discard({ imageId: id, owner: 'p1' });
  expect((await shown(id)).code).toBe(404);
  expect(files().filter((name) => name.startsWith(id))).toEqual([]);
  await expect(remote.register(request({ imageId: id }))).rejects.toMatchObject({ kind: 'gone' });
  const unheard = randomUUID();
  await remote.discard({ imageId: unheard, owner: 'p1' });
  await expect(remote.register(request({ imageId: unheard }))).rejects.toMatchObject({ kind: 'gone' });
  const theirs = await filled({ owner: 'p2' });
  await expect(remote.discard({ imageId: theirs, owner: 'p1' })).rejects.toMatchObject({ kind: 'conflict' });
  await remote.discard({ imageId: theirs, owner: 'p2' });
});

it('keeps the newest backups of one server and kind, and those that are protected', async () => {
  const backup = (backup_type: string, instance_uuid = 's1') =>
    filled({ properties: { image_type: 'backup', backup_type, instance_uuid } });
  const daily: string[] = [];
  for (let n = 0; n < 4; n += 1) daily.push(await backup('daily'));
  const others = [await backup('weekly'), await backup('daily', 's2'), await filled()];
  await fetch(`${bed.url}/v2/images/${daily[0]}`, {
    method: 'PATCH',
    headers: {
      'x-auth-token': bed.token('p1'),
      'content-type': 'application/openstack-images-v2.1-json-patch',
    },
    body: JSON.stringify([{ op: 'replace', path: '/protected', value: true }]),
  });
  const wish = { owner: 'p1', serverId: 's1', backupType: 'daily', keep: 2 };
  expect((await remote.rotate({ ...wish, owner: 'p2' })).deletedIds).toEqual([]);
  expect((await remote.rotate(wish)).deletedIds).toEqual([daily[1]]);
  expect((await remote.rotate(wish)).deletedIds).toEqual([]);
  const codes = await Promise.all([...daily, ...others].map(async (id) => (await shown(id)).code));
  expect(codes).toEqual([200, 404, 200, 200, 200, 200, 200]);
  expect((await remote.rotate({ ...wish, keep: 0 })).deletedIds.sort()).toEqual([daily[2]!, daily[3]!].sort());
});

it('counts what it registers, and stops at the quota', async () => {
  const made: string[] = [];
  const trouble = await (async () => {
    for (let n = 0; n < 25; n += 1) made.push((await remote.register(request({ owner: 'p9' }))).id);
    return undefined;
  })().catch((error: unknown) => error);
  expect(trouble).toMatchObject({ kind: 'overQuota' });
  expect(made).toHaveLength(20);
  await remote.discard({ imageId: made[0]!, owner: 'p9' });
  expect((await remote.register(request({ owner: 'p9' }))).status).toBe('queued');
});
