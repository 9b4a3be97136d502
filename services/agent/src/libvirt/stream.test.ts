import { expect, it } from 'vitest';
import { LibvirtUnreachable } from './errors.js';
import type { Frame } from './frames.js';
import * as wire from './protocol.js';
import { LibvirtStream } from './stream.js';
import { XdrWriter } from './xdr.js';

const message = (status: number, body: string | Buffer = ''): Frame => ({
  ...{ program: wire.REMOTE_PROGRAM, version: 1, procedure: 201, type: wire.MESSAGE.stream, serial: 9 },
  status,
  body: Buffer.from(body),
});

function opened() {
  const sent: [number, string][] = [];
  let forgotten = 0;
  const stream = new LibvirtStream(
    (status, body) => sent.push([status, body.toString()]),
    () => {
      forgotten += 1;
    },
  );
  return { stream, sent, forgotten: () => forgotten };
}

it('carries bytes both ways and ends with the other side', async () => {
  const { stream, sent, forgotten } = opened();
  stream.hear(message(wire.STATUS.continue, 'login: '));
  stream.write('root\n');
  stream.hear(message(wire.STATUS.continue, 'Password: '));
  stream.hear(message(wire.STATUS.continue));
  const heard: string[] = [];
  for await (const data of stream) heard.push(String(data));
  expect(heard.join('')).toBe('login: Password: ');
  expect(sent).toEqual([[wire.STATUS.continue, 'root\n']]);
  expect(forgotten()).toBeGreaterThan(0);
});

it('cuts long writes into pieces', () => {
  const { stream, sent } = opened();
  stream.write(Buffer.alloc(wire.STREAM_PIECE + 1));
  expect(sent.map(([status, body]) => [status, body.length])).toEqual([
    [wire.STATUS.continue, wire.STREAM_PIECE],
    [wire.STATUS.continue, 1],
  ]);
});

it('is broken off towards libvirt when its reader leaves', async () => {
  const { stream, sent } = opened();
  stream.destroy();
  await new Promise((resolve) => stream.once('close', resolve));
  expect(sent).toEqual([[wire.STATUS.error, '']]);
});

it('breaks when libvirt breaks it, when the connection goes, and when nobody reads', async () => {
  const said = new XdrWriter().int(38).int(10).uint(1).string('taken by another').bytes();
  for (const [end, reason] of [
    [(s: LibvirtStream) => s.hear(message(wire.STATUS.error, said)), 'taken by another'],
    [(s: LibvirtStream) => s.lost(new LibvirtUnreachable('gone')), 'gone'],
    [
      (s: LibvirtStream) => {
        for (let n = 0; n < 6; n++) s.hear(message(wire.STATUS.continue, Buffer.alloc(1 << 20)));
      },
      'more than its reader takes',
    ],
  ] as const) {
    const { stream } = opened();
    const error = new Promise<Error>((resolve) => stream.once('error', resolve));
    end(stream);
    expect((await error).message).toContain(reason);
  }
});
