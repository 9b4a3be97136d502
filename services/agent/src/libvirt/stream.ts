/**
 * Bytes both ways over a connection to libvirt, beside its calls. What comes faster than it is read is kept up to a limit,
 * for the connection can not wait for one reader; beyond it the stream breaks.
 */
import { Duplex } from 'node:stream';
import { LibvirtError, LibvirtUnreachable } from './errors.js';
import type { Frame } from './frames.js';
import * as wire from './protocol.js';
import { XdrReader } from './xdr.js';

const KEPT_MAX = 4 << 20;

/** Sends a message of the stream: a piece of data, its end, or that it was broken off. */
export type SendPiece = (status: number, body: Buffer) => void;

export class LibvirtStream extends Duplex {
  readonly #send: SendPiece;
  readonly #forget: () => void;
  #over = false;

  constructor(send: SendPiece, forget: () => void) {
    super({ autoDestroy: true });
    this.#send = send;
    this.#forget = forget;
  }

  /** Takes a message of libvirt's. */
  hear({ status, body }: Frame): void {
    if (status === wire.STATUS.error) {
      const { code, domain, message } = wire.readError(new XdrReader(body));
      this.#end(new LibvirtError(code, domain, message));
    } else if (status === wire.STATUS.ok || body.length === 0) {
      this.#end();
    } else if (this.readableLength > KEPT_MAX) {
      this.destroy(new Error('the console says more than its reader takes'));
    } else {
      this.push(body);
    }
  }

  /** The connection has ended. */
  lost(reason: LibvirtUnreachable): void {
    this.#end(reason);
  }

  override _read(): void {
    // libvirt sends by itself
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    for (let at = 0; at < chunk.length && !this.#over; at += wire.STREAM_PIECE)
      this.#send(wire.STATUS.continue, chunk.subarray(at, at + wire.STREAM_PIECE));
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.#over) this.#send(wire.STATUS.error, Buffer.alloc(0));
    this.#over = true;
    this.#forget();
    callback(error);
  }

  #end(error?: Error): void {
    this.#over = true;
    this.#forget();
    if (error) this.destroy(error);
    else this.push(null);
  }
}
