/**
 * One connection to libvirt over a stream socket: any number of calls in flight, errors as LibvirtError, lifecycle
 * events, the server's keepalive answered, and our own pings, so that a hung daemon is noticed. Invariant: after the
 * end of a connection, whatever ended it, every call that was in flight has been rejected and `closed` is resolved.
 */
import type { Duplex } from 'node:stream';
import { LibvirtError, LibvirtUnreachable } from './errors.js';
import { encodeFrame, type Frame, FrameCutter } from './frames.js';
import * as wire from './protocol.js';
import { LibvirtStream } from './stream.js';
import { XdrReader, XdrWriter } from './xdr.js';

export interface ConnectionOptions {
  /** Milliseconds between our pings. */
  readonly pingEveryMs?: number;
  /** Milliseconds of silence after which the connection is given up. */
  readonly silenceMs?: number;
  /** Milliseconds after which one call is given up, and the connection with it. */
  readonly callMs?: number;
}

interface Pending {
  readonly settle: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const DEFAULTS = { pingEveryMs: 5_000, silenceMs: 15_000, callMs: 60_000 };

export class LibvirtConnection {
  /** Resolves with the reason when the connection has ended. */
  readonly closed: Promise<Error>;
  onLifecycle: (event: wire.LifecycleEvent) => void = () => undefined;

  readonly #socket: Duplex;
  readonly #options: Required<ConnectionOptions>;
  readonly #cutter = new FrameCutter();
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, LibvirtStream>();
  readonly #pings: NodeJS.Timeout;
  #serial = 0;
  #heardAt = performance.now();
  #ended: LibvirtUnreachable | undefined;
  #tellClosed: (reason: Error) => void = () => undefined;

  constructor(socket: Duplex, options: ConnectionOptions = {}) {
    this.#socket = socket;
    this.#options = { ...DEFAULTS, ...options };
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) =>
      this.#end(new LibvirtUnreachable('the connection to libvirt failed', { cause: error })),
    );
    socket.on('close', () => this.#end(new LibvirtUnreachable('libvirt closed the connection')));
    this.#pings = setInterval(() => this.#ping(), this.#options.pingEveryMs);
    this.#pings.unref();
  }

  /** Authentication (none but peer credentials), the hypervisor's URI, and keepalive. */
  async open(uri: string): Promise<void> {
    const kinds = await this.call(wire.PROCEDURES.authList, undefined);
    if (kinds.some((kind) => kind !== 0))
      throw new LibvirtUnreachable(`libvirt asks for authentication (${kinds.join(', ')})`);
    await this.call(wire.PROCEDURES.open, { uri, flags: 0 });
    await this.call(wire.PROCEDURES.supportsFeature, { feature: wire.FEATURE_KEEPALIVE });
  }

  /** Calls a procedure. Rejects with LibvirtError (libvirt said no) or LibvirtUnreachable (nobody knows). */
  call<Args, Result>(
    procedure: wire.Procedure<Args, Result>,
    args: Args,
    patienceMs = this.#options.callMs,
  ): Promise<Result> {
    return this.#ended ? Promise.reject(this.#ended) : this.#call(procedure, args, this.#nextSerial(), patienceMs);
  }

  /** Calls a procedure that opens a stream, and gives the stream. */
  async openStream<Args>(procedure: wire.Procedure<Args, void>, args: Args): Promise<LibvirtStream> {
    if (this.#ended) throw this.#ended;
    const serial = this.#nextSerial();
    const send = (status: number, body: Buffer): void => {
      if (!this.#ended) this.#send(procedure, wire.MESSAGE.stream, serial, body, status);
    };
    const stream = new LibvirtStream(send, () => this.#streams.delete(serial));
    this.#streams.set(serial, stream);
    try {
      await this.#call(procedure, args, serial);
      return stream;
    } catch (error) {
      this.#streams.delete(serial);
      throw error;
    }
  }

  #nextSerial(): number {
    this.#serial = this.#serial === 0xffffffff ? 1 : this.#serial + 1;
    return this.#serial;
  }

  #call<Args, Result>(
    procedure: wire.Procedure<Args, Result>,
    args: Args,
    serial: number,
    patienceMs = this.#options.callMs,
  ): Promise<Result> {
    const body = procedure.write(new XdrWriter(), args).bytes();
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const timer = setTimeout(
      () =>
        this.#end(new LibvirtUnreachable(`libvirt did not answer procedure ${procedure.number} in ${patienceMs} ms`)),
      patienceMs,
    );
    const settle = (frame: Frame) => {
      if (frame.status === wire.STATUS.ok) return resolve(procedure.read(new XdrReader(frame.body)));
      const error = wire.readError(new XdrReader(frame.body));
      reject(new LibvirtError(error.code, error.domain, error.message));
    };
    this.#pending.set(serial, { settle, reject, timer });
    this.#send(procedure, wire.MESSAGE.call, serial, body);
    return promise;
  }

  close(): void {
    this.#end(new LibvirtUnreachable('the connection to libvirt was closed by us'));
  }

  #send(
    { program, number: procedure }: Pick<wire.Procedure<never, unknown>, 'program' | 'number'>,
    type: number,
    serial: number,
    body: Buffer,
    status: number = wire.STATUS.ok,
  ): void {
    const version = wire.REMOTE_VERSION;
    this.#socket.write(encodeFrame({ program, version, procedure, type, serial, status }, body));
  }

  #onData(chunk: Buffer): void {
    this.#heardAt = performance.now();
    try {
      for (const frame of this.#cutter.push(chunk)) this.#onFrame(frame);
    } catch (error) {
      this.#end(new LibvirtUnreachable('libvirt sent what is not its protocol', { cause: error }));
    }
  }

  #onFrame(frame: Frame): void {
    if (frame.program === wire.KEEPALIVE_PROGRAM) {
      if (frame.procedure === wire.KEEPALIVE_PING) this.#keepalive(wire.KEEPALIVE_PONG);
      return;
    }
    if (frame.program !== wire.REMOTE_PROGRAM && frame.program !== wire.QEMU_PROGRAM) return;
    if (frame.type === wire.MESSAGE.stream) {
      this.#streams.get(frame.serial)?.hear(frame);
    } else if (frame.type === wire.MESSAGE.event && frame.procedure === wire.EVENT_PROCEDURE.lifecycle) {
      this.onLifecycle(wire.readLifecycle(new XdrReader(frame.body)));
    } else if (frame.type === wire.MESSAGE.reply) {
      const waiting = this.#pending.get(frame.serial);
      if (!waiting) return;
      waiting.settle(frame);
      this.#pending.delete(frame.serial);
      clearTimeout(waiting.timer);
    }
  }

  #keepalive(procedure: number): void {
    const of = { program: wire.KEEPALIVE_PROGRAM, version: wire.KEEPALIVE_VERSION, status: wire.STATUS.ok };
    this.#socket.write(encodeFrame({ ...of, procedure, type: wire.MESSAGE.event, serial: 0 }, Buffer.alloc(0)));
  }

  #ping(): void {
    if (performance.now() - this.#heardAt > this.#options.silenceMs) {
      this.#end(new LibvirtUnreachable(`libvirt was silent for ${this.#options.silenceMs} ms`));
    } else {
      this.#keepalive(wire.KEEPALIVE_PING);
    }
  }

  #end(reason: LibvirtUnreachable): void {
    if (this.#ended) return;
    this.#ended = reason;
    clearInterval(this.#pings);
    this.#socket.destroy();
    for (const waiting of this.#pending.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(reason);
    }
    this.#pending.clear();
    for (const stream of [...this.#streams.values()]) stream.lost(reason);
    this.#tellClosed(reason);
  }
}
