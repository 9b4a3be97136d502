/** The password that a guest posts, over HTTP: once, small, text; and what it hears while compute is away. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import { metadataServer } from './server.js';

const SPEC = computeV1.ServerSpec.fromPartial({ serverId: '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b' });
const kept: string[] = [];
let spec: computeV1.ServerSpec | undefined = SPEC;
let trouble: Error | undefined;
const server = metadataServer({
  ...{ log: pino({ level: 'silent' }), secret: 's', networkId: 'n', whoIs: () => spec },
  post: async (serverId, password) => {
    if (trouble) throw trouble;
    kept.push(`${serverId} ${password}`);
  },
});
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => server.close());
beforeEach(() => {
  kept.length = 0;
  spec = SPEC;
  trouble = undefined;
});

const call = async (method: string, body?: string | Buffer | ReadableStream, path = '/openstack/latest/password') => {
  const { port } = server.address() as AddressInfo;
  const init = { method, ...(body === undefined ? {} : { body, duplex: 'half' }) } as RequestInit;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return [response.status, await response.text()];
};

it('is kept as it comes, and shown to the guest', async () => {
  expect(await call('GET')).toEqual([200, '']);
  expect(await call('POST', 'c2VjcmV0')).toEqual([200, '']);
  expect(kept).toEqual([`${SPEC.serverId} c2VjcmV0`]);
  spec = { ...SPEC, guestPassword: 'c2VjcmV0' };
  expect(await call('GET')).toEqual([200, 'c2VjcmV0']);
  expect((await call('GET', undefined, '/openstack/latest'))[1]).toContain('password');
});

it('is posted once', async () => {
  trouble = fail.conflict('the server has a password');
  expect((await call('POST', 'again'))[0]).toBe(409);
  trouble = undefined;
  spec = { ...SPEC, guestPassword: 'first' };
  expect((await call('POST', 'again'))[0]).toBe(409);
  expect(kept).toEqual([]);
});

it('is at most 1,020 bytes of text', async () => {
  expect(await call('POST', 'x'.repeat(1_021))).toEqual([400, 'Request is too large.\n']);
  let chunks = 0;
  const chunked = new ReadableStream({
    pull: (controller) => (++chunks > 3 ? controller.close() : controller.enqueue(Buffer.alloc(700, 'x'))),
  });
  expect((await call('POST', chunked))[0]).toBe(400);
  expect((await call('POST', Buffer.from([0xff, 0xfe])))[0]).toBe(400);
  expect((await call('POST', 'a\0b'))[0]).toBe(400);
  expect((await call('POST', ''))[0]).toBe(200);
  expect(kept).toEqual([]);
  expect((await call('POST', 'é'.repeat(510)))[0]).toBe(200);
});

it('is refused by other ways, and while nobody takes it', async () => {
  expect((await call('PUT', 'x'))[0]).toBe(400);
  expect((await call('POST', 'x', '/openstack/latest/meta_data.json'))[0]).toBe(404);
  expect((await call('POST', 'x', '/latest/password'))[0]).toBe(404);
  trouble = fail.unavailable('away');
  expect((await call('POST', 'x'))[0]).toBe(503);
  spec = undefined;
  expect((await call('POST', 'x'))[0]).toBe(404);
  expect(kept).toEqual([]);
});
