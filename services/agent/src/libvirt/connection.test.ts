import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { LibvirtConnection } from './connection.js';
import { isNoDomain, LibvirtUnreachable } from './errors.js';
import { encodeFrame, type Frame, FrameCutter } from './frames.js';
import * as wire from './protocol.js';
import { XdrWriter } from './xdr.js';

const UUID = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const DOMAIN = { name: 'instance-x', uuid: UUID, id: 7 };

/** The server's end of a socket: what it received as frames, and a way to send bytes. */
class Peer {
  readonly calls: Frame[] = [];
  onCall: (frame: Frame) => void = () => undefined;
  readonly socket: Duplex;
  readonly #cutter = new FrameCutter();

  constructor() {
    this.socket = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        for (const frame of this.#cutter.push(chunk)) {
          this.calls.push(frame);
          this.onCall(frame);
        }
        done();
      },
    });
  }

  send(bytes: Buffer): void {
    this.socket.push(bytes);
  }
}

const frame = (part: Partial<Frame>, body: Buffer = Buffer.alloc(0)): Buffer =>
  encodeFrame(
    { program: wire.REMOTE_PROGRAM, version: 1, procedure: 0, type: wire.MESSAGE.reply, serial: 0, status: 0, ...part },
    body,
  );
const stateReply = (serial: number, state: number): Buffer =>
  frame({ procedure: 212, serial }, new XdrWriter().int(state).int(1).bytes());
const lifecycle = (event: number): Buffer =>
  frame(
    { procedure: 318, type: wire.MESSAGE.event },
    wire.writeDomain(new XdrWriter().int(0), DOMAIN).int(event).int(1).bytes(),
  );
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const open: LibvirtConnection[] = [];
const connectionTo = (peer: Peer, options = {}): LibvirtConnection => {
  const connection = new LibvirtConnection(peer.socket, options);
  open.push(connection);
  return connection;
};
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

describe('the frame cutter', () => {
  it('finds the same messages however the stream is split and joined', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (bodies, cuts) => {
          const stream = Buffer.concat(bodies.map((body, n) => frame({ serial: n }, Buffer.from(body))));
          const cutter = new FrameCutter();
          const seen: Frame[] = [];
          let at = 0;
          for (const cut of [...cuts, stream.length]) {
            if (at < stream.length) seen.push(...cutter.push(stream.subarray(at, at + cut)));
            at += cut;
          }
          expect(seen.map((one) => [one.serial, one.body.toString('hex')])).toEqual(
            bodies.map((body, n) => [n, Buffer.from(body).toString('hex')]),
          );
        },
      ),
    );
  });

  it('refuses an impossible length', () => {
    expect(() => new FrameCutter().push(Buffer.from([0, 0, 0, 3, 0]))).toThrow('a message of 3 bytes');
    expect(() => new FrameCutter().push(Buffer.from([0xff, 0, 0, 3, 0]))).toThrow('bytes');
  });
});

describe('a connection to libvirt', () => {
  it('pipelines calls and gives each its own answer, out of order and in pieces', async () => {
    const peer = new Peer();
    const connection = connectionTo(peer);
    const first = connection.call(wire.PROCEDURES.state, { domain: DOMAIN, flags: 0 });
    const second = connection.call(wire.PROCEDURES.state, { domain: DOMAIN, flags: 0 });
    const [a, b] = peer.calls;
    const bytes = Buffer.concat([stateReply(b!.serial, 5), lifecycle(5), stateReply(a!.serial, 1)]);
    for (const byte of bytes) peer.send(Buffer.from([byte]));
    expect(await first).toEqual({ state: 1, reason: 1 });
    expect(await second).toEqual({ state: 5, reason: 1 });
  });

  it('writes a domain as libvirt reads it', () => {
    const peer = new Peer();
    void connectionTo(peer)
      .call(wire.PROCEDURES.destroy, { domain: DOMAIN, flags: 0 })
      .catch(() => undefined);
    expect(peer.calls[0]!.procedure).toBe(234);
    expect(peer.calls[0]!.body.toString('hex')).toBe(
      `0000000a${Buffer.from('instance-x').toString('hex')}0000${UUID.replaceAll('-', '')}0000000700000000`,
    );
  });

  it('turns an error reply into a structured error and lives on', async () => {
    const peer = new Peer();
    const connection = connectionTo(peer);
    peer.onCall = (call) => {
      const error = new XdrWriter().int(wire.ERROR_CODE.noDomain).int(10).optionalString('Domain not found').bytes();
      peer.send(frame({ procedure: call.procedure, serial: call.serial, status: wire.STATUS.error }, error));
    };
    const error = await connection
      .call(wire.PROCEDURES.lookupByUuid, { uuid: UUID })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 42, domain: 10, message: 'Domain not found' });
    expect(isNoDomain(error)).toBe(true);
    peer.onCall = (call) => peer.send(stateReply(call.serial, 3));
    expect(await connection.call(wire.PROCEDURES.state, { domain: DOMAIN, flags: 0 })).toMatchObject({ state: 3 });
  });

  it('rejects everything in flight when the socket is lost, and every later call', async () => {
    const peer = new Peer();
    const connection = connectionTo(peer);
    const calls = [1, 2, 3].map(() => connection.call(wire.PROCEDURES.version, undefined));
    peer.socket.destroy();
    for (const call of calls) await expect(call).rejects.toBeInstanceOf(LibvirtUnreachable);
    expect((await connection.closed).message).toContain('closed');
    await expect(connection.call(wire.PROCEDURES.version, undefined)).rejects.toBeInstanceOf(LibvirtUnreachable);
  });

  it('ends on bytes that are not the protocol, rejecting the call they answered', async () => {
    const peer = new Peer();
    const connection = connectionTo(peer);
    const call = connection.call(wire.PROCEDURES.state, { domain: DOMAIN, flags: 0 });
    peer.send(frame({ procedure: 212, serial: peer.calls[0]!.serial }, Buffer.from([0, 0])));
    await expect(call).rejects.toBeInstanceOf(LibvirtUnreachable);
  });

  it('tells lifecycle events and ignores what it does not know', async () => {
    const peer = new Peer();
    const connection = connectionTo(peer);
    const seen: wire.LifecycleEvent[] = [];
    connection.onLifecycle = (event) => seen.push(event);
    peer.send(
      Buffer.concat([
        frame({ procedure: 9999, type: wire.MESSAGE.event }),
        frame({ program: 1 }),
        lifecycle(wire.LIFECYCLE.stopped),
      ]),
    );
    await tick();
    expect(seen).toEqual([{ domain: DOMAIN, event: 5, detail: 1 }]);
  });

  it('answers the keepalive of the server', async () => {
    const peer = new Peer();
    connectionTo(peer);
    peer.send(frame({ program: wire.KEEPALIVE_PROGRAM, procedure: wire.KEEPALIVE_PING, type: wire.MESSAGE.event }));
    await tick();
    expect(peer.calls[0]).toMatchObject({
      program: wire.KEEPALIVE_PROGRAM,
      procedure: wire.KEEPALIVE_PONG,
      type: wire.MESSAGE.event,
    });
  });

  it('gives up a silent server', async () => {
    const peer = new Peer();
    const connection = connectionTo(peer, { pingEveryMs: 5, silenceMs: 200 });
    const call = connection.call(wire.PROCEDURES.version, undefined);
    await expect(call).rejects.toThrow('silent');
    expect(peer.calls.filter((one) => one.program === wire.KEEPALIVE_PROGRAM).length).toBeGreaterThan(0);
  });

  it('gives up on one call that is never answered', async () => {
    const peer = new Peer();
    const connection = connectionTo(peer, { callMs: 15 });
    await expect(connection.call(wire.PROCEDURES.version, undefined)).rejects.toThrow('did not answer procedure 4');
  });
});

it('asks QEMU itself in the program that is only for QEMU', async () => {
  const peer = new Peer();
  peer.onCall = ({ serial, program }) =>
    peer.send(frame({ program, procedure: 1, serial }, new XdrWriter().string('{"return":{}}').bytes()));
  const connection = connectionTo(peer);
  const answer = connection.call(wire.PROCEDURES.monitor, { domain: DOMAIN, command: '{"execute":"query-block"}' });
  expect(await answer).toBe('{"return":{}}');
  expect(peer.calls[0]).toMatchObject({ program: 0x20008087, procedure: 1 });
});
