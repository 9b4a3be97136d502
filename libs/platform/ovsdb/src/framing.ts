/**
 * OVSDB sends JSON texts one after another with nothing between them, so the end
 * of a text is found by counting brackets outside strings. Chunks are kept as
 * they came and joined once, which keeps a snapshot of hundreds of megabytes
 * linear in time.
 */
import { OvsdbError } from './errors.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

export class JsonFrames {
  private chunks: Buffer[] = [];
  private size = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;

  /** `maxBytes` bounds one text; a longer one is a protocol error. */
  constructor(private readonly maxBytes: number) {}

  /** Takes bytes in, gives the texts that they complete. */
  push(bytes: Buffer): unknown[] {
    const complete: unknown[] = [];
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
      if (!this.closes(bytes[i] as number)) continue;
      this.keep(bytes.subarray(start, i + 1));
      start = i + 1;
      complete.push(this.parse());
    }
    if (start < bytes.length) this.keep(bytes.subarray(start));
    return complete;
  }

  /** Follows one byte; true when it ends a text. */
  private closes(byte: number): boolean {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.inString = false;
      return false;
    }
    if (byte === QUOTE) this.inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      this.depth -= 1;
      if (this.depth < 0) throw new OvsdbError('protocol', 'unbalanced brackets');
      return this.depth === 0;
    }
    return false;
  }

  private keep(part: Buffer): void {
    this.size += part.length;
    if (this.size > this.maxBytes) {
      throw new OvsdbError('protocol', `a message exceeds ${this.maxBytes} bytes`);
    }
    this.chunks.push(part);
  }

  private parse(): unknown {
    const text = Buffer.concat(this.chunks).toString('utf8');
    this.chunks = [];
    this.size = 0;
    try {
      return JSON.parse(text);
    } catch {
      throw new OvsdbError('protocol', 'a message is not JSON');
    }
  }
}
