/** XDR (RFC 4506), the little of it that libvirt's messages use: big endian, everything padded to four bytes. */

/** Thrown for bytes that are not what the shape says; the connection is useless after it. */
export class XdrError extends Error {
  override readonly name = 'XdrError';
}

/** libvirt's own limit on a string (REMOTE_STRING_MAX). */
const STRING_MAX = 4 << 20;

export class XdrWriter {
  readonly #parts: Buffer[] = [];

  uint(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeUInt32BE(value >>> 0);
    this.#parts.push(part);
    return this;
  }

  int(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  string(text: string): this {
    const bytes = Buffer.from(text, 'utf8');
    if (bytes.length > STRING_MAX) throw new XdrError('the string is too long for a libvirt message');
    return this.uint(bytes.length).opaque(bytes);
  }

  /** A pointer in XDR's sense: a flag, then the string if there is one. */
  optionalString(text: string | undefined): this {
    return text === undefined ? this.uint(0) : this.uint(1).string(text);
  }

  /** Bytes of a length that both sides know. */
  opaque(bytes: Buffer): this {
    this.#parts.push(bytes);
    const rest = (4 - (bytes.length % 4)) % 4;
    if (rest) this.#parts.push(Buffer.alloc(rest));
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export class XdrReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  uhyper(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  string(): string {
    const length = this.uint();
    if (length > STRING_MAX) throw new XdrError(`a string of ${length} bytes`);
    return this.opaque(length).toString('utf8');
  }

  optionalString(): string | undefined {
    return this.uint() === 0 ? undefined : this.string();
  }

  opaque(length: number): Buffer {
    const start = this.#take(length + ((4 - (length % 4)) % 4));
    return this.#bytes.subarray(start, start + length);
  }

  /** A counted array of at most `max` items. */
  array<T>(max: number, item: (reader: XdrReader) => T): T[] {
    const count = this.uint();
    if (count > max) throw new XdrError(`an array of ${count} items`);
    return Array.from({ length: count }, () => item(this));
  }

  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new XdrError('the message ends too early');
    this.#at = start + length;
    return start;
  }
}
