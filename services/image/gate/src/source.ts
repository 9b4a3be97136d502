/** Random access to the bytes under inspection. Reads are bounded by the caller: nothing here grows with the file. */
export interface Source {
  /** Bytes in all. */
  readonly size: number;
  /** Up to `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Buffer;
}

/** A refusal with a sentence for the uploader. It names no byte of the content. */
export class Refusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Refusal';
  }
}

/** What the bytes are. */
export interface Verdict {
  readonly format: string;
  /** Bytes as a disk. */
  readonly virtualSize: number;
}

export const bufferSource = (bytes: Buffer): Source => ({
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});
