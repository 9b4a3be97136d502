/** Cuts a byte stream into libvirt's messages, however the socket splits or joins them, and builds messages. */
import { HEADER_BYTES, MESSAGE_MAX } from './protocol.js';
import { XdrError } from './xdr.js';

export interface Header {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  readonly type: number;
  readonly serial: number;
  readonly status: number;
}

export interface Frame extends Header {
  readonly body: Buffer;
}

export function encodeFrame(header: Header, body: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(header.program, 4);
  frame.writeUInt32BE(header.version, 8);
  frame.writeInt32BE(header.procedure, 12);
  frame.writeUInt32BE(header.type, 16);
  frame.writeUInt32BE(header.serial, 20);
  frame.writeUInt32BE(header.status, 24);
  body.copy(frame, HEADER_BYTES);
  return frame;
}

function decodeFrame(frame: Buffer): Frame {
  return {
    program: frame.readUInt32BE(4),
    version: frame.readUInt32BE(8),
    procedure: frame.readInt32BE(12),
    type: frame.readUInt32BE(16),
    serial: frame.readUInt32BE(20),
    status: frame.readUInt32BE(24),
    body: frame.subarray(HEADER_BYTES),
  };
}

export class FrameCutter {
  #pieces: Buffer[] = [];
  #length = 0;

  /** Takes what arrived and returns the messages that are complete by it. Throws XdrError on an impossible length. */
  push(chunk: Buffer): Frame[] {
    this.#pieces.push(chunk);
    this.#length += chunk.length;
    const frames: Frame[] = [];
    for (let size = this.#nextSize(); size !== undefined && this.#length >= size; size = this.#nextSize()) {
      const all = this.#joined();
      frames.push(decodeFrame(all.subarray(0, size)));
      this.#pieces = size === all.length ? [] : [all.subarray(size)];
      this.#length -= size;
    }
    return frames;
  }

  #nextSize(): number | undefined {
    if (this.#length < 4) return undefined;
    const head = this.#pieces[0]!.length >= 4 ? this.#pieces[0]! : this.#joined();
    const size = head.readUInt32BE(0);
    if (size < HEADER_BYTES || size > MESSAGE_MAX) throw new XdrError(`a message of ${size} bytes`);
    return size;
  }

  #joined(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!;
  }
}
