import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Libvirt } from './client.js';
import { encodeFrame, FrameCutter } from './frames.js';
import * as wire from './protocol.js';
import { XdrWriter } from './xdr.js';

let folder: string;
let server: Server;
const sockets = new Set<Socket>();
const called: number[] = [];

/** A daemon that says yes to all that opening a connection asks. */
function serve(): Promise<void> {
  server = createServer((socket) => {
    sockets.add(socket);
    const cutter = new FrameCutter();
    socket.on('data', (chunk) => {
      for (const call of cutter.push(chunk as Buffer)) {
        if (call.program !== wire.REMOTE_PROGRAM) continue;
        called.push(call.procedure);
        socket.write(
          encodeFrame(
            { ...call, type: wire.MESSAGE.reply, status: wire.STATUS.ok },
            new XdrWriter().uint(0).uint(0).bytes(),
          ),
        );
      }
    });
    socket.on('error', () => undefined);
  });
  return new Promise((resolve) => server.listen(join(folder, 'sock'), resolve));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-libvirt-'));
  called.length = 0;
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

it('connects again after a loss and subscribes again', async () => {
  const onConnect = vi.fn();
  const libvirt = new Libvirt({
    socket: join(folder, 'sock'),
    log: pino({ level: 'silent' }),
    retryMs: 5,
    onLifecycle: () => undefined,
    onConnect,
  });
  libvirt.start();
  await expect(libvirt.list()).rejects.toThrow('not been reached');
  await serve();
  await vi.waitFor(() => expect(onConnect).toHaveBeenCalledTimes(1));
  expect(libvirt.health).toBe('ok');
  expect(await libvirt.list()).toEqual([]);
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(() => expect(onConnect).toHaveBeenCalledTimes(2));
  expect(called.filter((number) => number === wire.PROCEDURES.registerEvent.number)).toHaveLength(2);
  await libvirt.stop();
  expect(libvirt.health).not.toBe('ok');
});
