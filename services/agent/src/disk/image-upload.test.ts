import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sendBytes, sendFile } from './image-upload.js';
import { emptyQcow2, faultOfQcow2 } from './qcow2-header.js';

const BYTES = Buffer.alloc(700_000, 5);
const forever = new AbortController().signal;
let folder: string;
let server: Server;
let url: string;
let received: { method: string | undefined; length: string | undefined; bytes: Buffer }[];
let answers: ((request: IncomingMessage, response: ServerResponse) => void)[];

const status =
  (code: number, body?: object) =>
  (_: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(code).end(body && JSON.stringify(body));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-upload-'));
  writeFileSync(join(folder, 'copy'), BYTES);
  received = [];
  answers = [];
  server = createServer((request, response) => {
    const answer = answers.shift() ?? status(204);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const { method, headers } = request;
      received.push({ method, length: headers['content-length'], bytes: Buffer.concat(chunks) });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/blobs/x`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const send = (signal = forever, patienceMs = 5_000) => sendFile(join(folder, 'copy'), url, signal, patienceMs);

it('sends all bytes and their number', async () => {
  expect(await send()).toBe(BYTES.length);
  expect(received).toEqual([{ method: 'PUT', length: String(BYTES.length), bytes: BYTES }]);
});

it('sends again while the service is away or has not let go of an earlier upload', async () => {
  answers = [status(503), status(409, { message: 'saving' }), (request) => request.socket.destroy(), status(200)];
  await send(forever, 20_000);
  expect(received).toHaveLength(4);
});

it.each([
  [410, { message: 'gone' }, 'gone'],
  [413, { message: 'over quota' }, 'over quota'],
  [415, undefined, '415'],
])('gives up at %d with the reason', async (code, body, reason) => {
  answers = [status(code, body)];
  await expect(send()).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining(reason) });
  expect(received).toHaveLength(1);
});

it('reads a refusal that comes before the bytes are all sent', async () => {
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    response.writeHead(413).end(JSON.stringify({ message: 'too large' }));
    request.resume();
  });
  await expect(send()).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('too large') });
});

it('says that the service is not reached when its patience is over', async () => {
  answers = Array.from({ length: 5 }, () => status(503));
  await expect(send(forever, 100)).rejects.toMatchObject({ kind: 'unavailable' });
});

it('stops when it is told to', async () => {
  const abort = new AbortController();
  answers = [() => setTimeout(() => abort.abort(new Error('superseded')), 10)];
  await expect(send(abort.signal)).rejects.toThrow('superseded');
  expect(received).toHaveLength(1);
});

it('sends what is in memory: an empty disk that is its own', async () => {
  const disk = emptyQcow2(3 * 2 ** 30);
  expect([faultOfQcow2(disk), Number(disk.readBigUInt64BE(24))]).toEqual([undefined, 3 * 2 ** 30]);
  await sendBytes(disk, url, forever);
  expect(received[0]?.bytes.equals(disk)).toBe(true);
});
