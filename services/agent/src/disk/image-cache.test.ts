import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageCache, type ImageRequest } from './image-cache.js';
import { faultOfQcow2 } from './qcow2-header.js';

const header = (change: (bytes: Buffer) => void = () => undefined): Buffer => {
  const bytes = Buffer.alloc(4096, 7);
  bytes.fill(0, 0, 104);
  bytes.writeUInt32BE(0x514649fb, 0);
  bytes.writeUInt32BE(3, 4);
  change(bytes);
  return bytes;
};
const IMAGE = header();

let folder: string;
let server: Server;
let served = 0;
let serve: (response: ServerResponse) => void;
let cache: ImageCache;
let url: string;

const request = (bytes: Buffer = IMAGE, part: Partial<ImageRequest> = {}): ImageRequest => ({
  imageId: '7b1c2f3a-0000-4000-8000-000000000001',
  url,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  size: bytes.length,
  format: 'qcow2',
  ...part,
});
const forever = new AbortController().signal;

/** A cache that gives up a download after so many milliseconds without a byte: few only where that is what is tried. */
const cacheThatWaits = (idleMs: number): ImageCache =>
  new ImageCache({ folder, log: pino({ level: 'silent' }), idleMs, reserveBytes: 0 });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-images-'));
  served = 0;
  serve = (response) => response.end(IMAGE);
  server = createServer((_, response) => {
    served += 1;
    serve(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/image`;
  cache = cacheThatWaits(20_000);
  await cache.start();
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

describe('the image cache', () => {
  it('downloads once for any number of servers, and not again', async () => {
    serve = (response) => setTimeout(() => response.end(IMAGE), 20);
    const paths = await Promise.all([1, 2, 3].map(() => cache.acquire(request(), forever)));
    expect(new Set(paths).size).toBe(1);
    expect(readFileSync(paths[0]!)).toEqual(IMAGE);
    await cache.acquire(request(), forever);
    expect(served).toBe(1);
  });

  it.each([
    ['other bytes', (response: ServerResponse) => response.end(Buffer.alloc(IMAGE.length)), 'checksum', 'conflict'],
    ['too few bytes', (response: ServerResponse) => response.end(IMAGE.subarray(1)), 'size', 'conflict'],
    ['too many bytes', (response: ServerResponse) => response.end(Buffer.concat([IMAGE, IMAGE])), 'size', 'conflict'],
    ['an error', (response: ServerResponse) => response.writeHead(403).end(), '403', 'unavailable'],
    [
      'a redirect',
      (response: ServerResponse) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'downloaded',
      'unavailable',
    ],
    ['a broken connection', (response: ServerResponse) => response.destroy(), 'downloaded', 'unavailable'],
  ])('keeps nothing of %s', async (_name, how, message, kind) => {
    serve = how;
    await expect(cache.acquire(request(), forever)).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(message),
    });
    expect(readdirSync(folder)).toEqual([]);
    serve = (response) => response.end(IMAGE);
    await cache.acquire(request(), forever);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('keeps nothing of silence', async () => {
    serve = () => undefined;
    await expect(cacheThatWaits(200).acquire(request(), forever)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('downloaded'),
    });
    expect(readdirSync(folder)).toEqual([]);
    serve = (response) => response.end(IMAGE);
    await cache.acquire(request(), forever);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('lets one server leave while another waits, and stops when all have left', async () => {
    let closed = 0;
    serve = (response) => {
      response.on('close', () => closed++);
      response.write(IMAGE.subarray(0, 100));
    };
    const first = new AbortController();
    const second = new AbortController();
    const a = cache.acquire(request(), first.signal);
    const b = cache.acquire(request(), second.signal);
    await expect.poll(() => served).toBe(1);
    first.abort(new Error('superseded'));
    await expect(a).rejects.toThrow('superseded');
    expect(closed).toBe(0);
    second.abort(new Error('superseded'));
    await expect(b).rejects.toThrow('superseded');
    serve = (response) => response.end(IMAGE);
    await cache.acquire(request(), forever);
    await expect.poll(() => closed).toBe(1);
    await expect.poll(() => readdirSync(folder).length).toBe(1);
  });

  it('refuses a qcow2 that points to other files although its bytes are as announced', async () => {
    const bytes = header((one) => one.writeBigUInt64BE(512n, 8));
    serve = (response) => response.end(bytes);
    await expect(cache.acquire(request(bytes), forever)).rejects.toThrow('backing file');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says so when there is no room', async () => {
    const full = new ImageCache({ folder, log: pino({ level: 'silent' }), reserveBytes: Number.MAX_SAFE_INTEGER });
    await expect(full.acquire(request(), forever)).rejects.toMatchObject({
      kind: 'overQuota',
      message: expect.stringContaining('no room'),
    });
    expect(served).toBe(0);
  });

  it('removes what was interrupted and what nobody uses', async () => {
    const path = await cache.acquire(request(), forever);
    writeFileSync(join(folder, 'x.part'), 'half');
    await cache.start();
    expect(readdirSync(folder)).toHaveLength(1);
    const old = new Date(Date.now() - 10_000);
    utimesSync(path, old, old);
    expect(await cache.evict(new Set([path]), 5_000)).toBe(0);
    expect(await cache.evict(new Set(), 60_000)).toBe(0);
    expect(await cache.evict(new Set(), 5_000)).toBe(1);
  });

  it('takes no path from outside', async () => {
    await expect(cache.acquire(request(IMAGE, { imageId: '../../etc/passwd' }), forever)).rejects.toMatchObject({
      kind: 'invalid',
    });
  });
});

it.each([
  ['a plain image', header(), undefined],
  ['a backing file', header((bytes) => bytes.writeBigUInt64BE(1n, 8)), 'backing file'],
  ['an external data file', header((bytes) => bytes.writeBigUInt64BE(4n, 72)), 'external data file'],
  ['another format', Buffer.alloc(512), 'not a qcow2'],
  ['an unknown version', header((bytes) => bytes.writeUInt32BE(9, 4)), 'version'],
])('judges the header of %s', (_name, bytes, fault) => {
  if (fault) expect(faultOfQcow2(bytes)).toContain(fault);
  else expect(faultOfQcow2(bytes)).toBeUndefined();
});
