import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageV1, operatorV1 } from '#libs/contract';
import { connectGrpc } from '#libs/platform/grpc';
import { type Testbed, testbed } from './testbed.fixture.js';

const TIMES = { roundMs: 3_600_000, silentMs: 30_000, orphanMs: 120_000, keepDeletedMs: 1_000_000 };
let bed: Testbed;
beforeAll(async () => {
  bed = await testbed({ sweeperTimes: TIMES });
});
afterAll(() => bed.close());

async function active(project: string, bytes: Buffer): Promise<string> {
  const token = { 'x-auth-token': bed.token(project) };
  const made = await fetch(`${bed.url}/v2/images`, {
    method: 'POST',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'x', disk_format: 'raw', container_format: 'bare', hw_x: 'y' }),
  });
  const { id } = (await made.json()) as { id: string };
  const headers = { ...token, 'content-type': 'application/octet-stream' };
  const put = await fetch(`${bed.url}/v2/images/${id}/file`, { method: 'PUT', headers, body: new Uint8Array(bytes) });
  expect(put.status).toBe(204);
  return id;
}
const remove = (id: string, project: string) =>
  fetch(`${bed.url}/v2/images/${id}`, { method: 'DELETE', headers: { 'x-auth-token': bed.token(project) } });
const images = (as = 'compute') =>
  connectGrpc(imageV1.ImagesService, [`127.0.0.1:${bed.grpcPort}`], 'image', bed.tls(as));
const operator = () => connectGrpc(operatorV1.OperatorService, [`127.0.0.1:${bed.grpcPort}`], 'image', bed.tls('cli'));

it('describes an image to compute for those who may see it', async () => {
  const id = await active('p1', randomBytes(100));
  const remote = images();
  const seen = { imageId: id, projectId: 'p1', allProjects: false };
  expect(await remote.describe(seen)).toMatchObject({ id, status: 'active', size: 100, properties: { hw_x: 'y' } });
  await expect(remote.describe({ ...seen, projectId: 'p2' })).rejects.toMatchObject({ kind: 'notFound' });
  await expect(remote.describe({ ...seen, projectId: '' })).rejects.toMatchObject({ kind: 'notFound' });
  expect((await remote.describe({ ...seen, projectId: '', allProjects: true })).id).toBe(id);
  await expect(remote.describe({ ...seen, imageId: 'x' })).rejects.toMatchObject({ kind: 'notFound' });
  const node = images('node-1');
  await expect(node.locate({ imageId: id, node: 'node-1' })).rejects.toMatchObject({ kind: 'forbidden' });
  remote.close();
  node.close();
});

it('gives nodes signed URLs, for active images and that node alone', async () => {
  const bytes = randomBytes(300_000);
  const id = await active('p1', bytes);
  const remote = images();
  const { url, sha256, size } = await remote.locate({ imageId: id, node: 'node-1' });
  expect([sha256.length, size]).toEqual([64, 300_000]);
  const got = await fetch(url);
  expect(got.status).toBe(200);
  expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
  const rest = await fetch(url, { headers: { range: 'bytes=299990-' } });
  expect(rest.status).toBe(206);
  expect(Buffer.from(await rest.arrayBuffer()).equals(bytes.subarray(299_990))).toBe(true);
  for (const spoilt of [
    url.replace('node-1', 'node-2'),
    url.replace(/exp=\d/, 'exp=9'),
    url.replace(/sig=../, 'sig=AA'),
    url.split('?')[0]!,
    url.replace(id, randomUUID()),
  ]) {
    const refused = await fetch(spoilt);
    expect([refused.status, await refused.text()]).toEqual([403, '']);
  }
  await fetch(`${bed.url}/v2/images/${id}/actions/deactivate`, {
    method: 'POST',
    headers: { 'x-auth-token': bed.token('p1') },
  });
  expect((await fetch(url)).status).toBe(403);
  await expect(remote.locate({ imageId: id, node: 'node-1' })).rejects.toMatchObject({ kind: 'conflict' });
  await remove(id, 'p1');
  expect((await fetch(url)).status).toBe(403);
  remote.close();
});

it('keeps books that match, and tells what happened', async () => {
  const id = await active('books', randomBytes(1_000));
  const remote = operator();
  const rows = (await remote.books({})).rows;
  const find = (kind: string, rowId: string) => rows.find((row) => row.kind === kind && row.id === rowId);
  expect(find('image', id)).toMatchObject({ state: 'active', facts: { size: '1000' } });
  expect(find('image_file', id)).toMatchObject({ state: 'images', facts: { size: '1000' } });
  expect(find('usage', 'books/image_bytes')?.facts).toEqual({ recorded: '1000', counted: '1000' });
  const { events } = await remote.trace({ id });
  expect(events.map((event) => `${event.what} ${event.outcome}`)).toEqual([
    'image.create ok',
    'image.upload started',
    'image.upload ok',
  ]);
  expect((await remote.trace({ id: events[0]!.requestId })).events).toHaveLength(1);
  const status = await remote.status({});
  expect(status.lines.map((line) => line.name)).toContain('gate');
  remote.close();
});

it('sweeps what a crash leaves behind (class 6)', async () => {
  const { db, sweeper } = bed.service;
  await sweeper.round();
  const id = await active('sweep', randomBytes(50));
  const crashed = { image: randomUUID(), upload: randomUUID() };
  const long = new Date(Date.now() - 3_600_000);
  await db.exec(`insert into project_usage (project_id, images, bytes) values ('crash', 1, 64)`);
  await db.exec(
    `insert into image (id, status, visibility, owner, created_at, updated_at, upload_id, upload_at, held_bytes, has_file)
     values ($1, 'saving', 'shared', 'crash', $3, $3, $2, $3, 64, true)`,
    [crashed.image, crashed.upload, long],
  );
  const file = (folder: string, name: string, old: boolean): string => {
    const path = join(bed.storeDir, folder, name);
    writeFileSync(path, 'x');
    if (old) utimesSync(path, long, long);
    return name;
  };
  file('incoming', `${crashed.image}.${crashed.upload}`, false);
  file('images', `${randomUUID()}.${randomUUID()}`, true);
  file('images', `${id}.${randomUUID()}`, true);
  const young = file('incoming', `${randomUUID()}.${randomUUID()}`, false);
  const foreign = file('images', 'not-ours', true);
  const deleted = await active('sweep', randomBytes(50));
  await db.exec(`update image set status = 'deleted', deleted_at = now(), held_bytes = 0 where id = $1`, [deleted]);
  await db.exec(`update project_usage set images = images - 1, bytes = bytes - 50 where project_id = 'sweep'`);
  const sweep = await sweeper.round();
  expect(sweep).toEqual({ abandoned: 1, removed: 3, damaged: [] });
  expect(await db.one('select status, held_bytes as held from image where id = $1', [crashed.image])).toEqual({
    status: 'queued',
    held: 0,
  });
  expect(await db.one(`select bytes from project_usage where project_id = 'crash'`)).toEqual({ bytes: 0 });
  const left = ['incoming', 'images'].flatMap((folder) => readdirSync(join(bed.storeDir, folder)));
  expect(left.filter((name) => name.startsWith(id))).toHaveLength(1);
  expect(left.filter((name) => name.startsWith(deleted) || name.startsWith(crashed.image))).toEqual([]);
  expect(left).toEqual(expect.arrayContaining([young, foreign]));
  expect((await sweeper.round()).removed).toBe(0);
});

it('tells of damage and touches nothing', async () => {
  const id = await active('damage', randomBytes(50));
  const name = readdirSync(join(bed.storeDir, 'images')).find((file) => file.startsWith(id)) ?? '';
  writeFileSync(join(bed.storeDir, 'images', name), 'short');
  expect((await bed.service.sweeper.round()).damaged).toEqual([id]);
  const token = { 'x-auth-token': bed.token('damage') };
  expect((await fetch(`${bed.url}/v2/images/${id}/file`, { headers: token })).status).toBe(503);
  const remote = operator();
  expect((await remote.status({})).lines.find((line) => line.name === 'files')).toMatchObject({ state: 'degraded' });
  const rows = (await remote.books({})).rows;
  expect(rows.some((row) => row.kind === 'image_file' && row.id === id)).toBe(false);
  remote.close();
});
