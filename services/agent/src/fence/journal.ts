/**
 * A file of records that is only appended to: one line each, a checksum before the JSON, so that a line torn by a crash
 * is recognized and dropped with all that follows. Appends that are waiting share one write and one sync. Rewriting
 * replaces the file by a rename. Invariant: a record whose append has resolved is there after any crash.
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

export interface JournalOptions {
  /** False: a crash of the whole machine may lose the last records, a crash of the process may not. */
  readonly sync: boolean;
}

const line = (record: unknown): string => {
  const json = JSON.stringify(record);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
};

/** The records of intact lines up to the first that is not, and the length of these lines in bytes. */
export function parseJournal(bytes: Buffer): { records: unknown[]; length: number } {
  const records: unknown[] = [];
  let length = 0;
  for (let end = bytes.indexOf(10, length); end >= 0; end = bytes.indexOf(10, length)) {
    const json = bytes.toString('utf8', length + 9, end);
    if (bytes.toString('latin1', length, length + 8) !== crc32(json).toString(16).padStart(8, '0')) break;
    records.push(JSON.parse(json));
    length = end + 1;
  }
  return { records, length };
}

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Journal {
  readonly #path: string;
  readonly #options: JournalOptions;
  #file: FileHandle;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #bytes: number;
  /** Lines in the file. */
  lines: number;

  private constructor(path: string, options: JournalOptions, file: FileHandle, lines: number, bytes: number) {
    this.#path = path;
    this.#options = options;
    this.#file = file;
    this.lines = lines;
    this.#bytes = bytes;
  }

  /** Opens or makes the file; returns its intact records, oldest first. */
  static async open(path: string, options: JournalOptions): Promise<{ journal: Journal; records: unknown[] }> {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const { records, length } = parseJournal(bytes);
    const file = await open(path, 'a', 0o600);
    if (length < bytes.length) await file.truncate(length);
    if (bytes.length === 0) await syncFolder(path);
    return { journal: new Journal(path, options, file, records.length, length), records };
  }

  /** Resolves when the record is on the disk. */
  append(record: unknown): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ text: line(record), resolve, reject });
    this.#writing ??= this.#drain();
    return promise;
  }

  /** Replaces all records by those that `snapshot` gives at the moment of writing. */
  async rewrite(snapshot: () => readonly unknown[]): Promise<void> {
    while (this.#writing) await this.#writing;
    this.#writing = this.#replace(snapshot);
    await this.#writing;
  }

  async close(): Promise<void> {
    while (this.#writing) await this.#writing;
    await this.#file.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length) {
      const batch = this.#waiting.splice(0);
      const bytes = Buffer.from(batch.map((one) => one.text).join(''));
      try {
        await this.#file.appendFile(bytes);
        if (this.#options.sync) await this.#file.datasync();
        this.lines += batch.length;
        this.#bytes += bytes.length;
        for (const one of batch) one.resolve();
      } catch (error) {
        // Half a line would hide all that is written after it.
        await this.#file.truncate(this.#bytes).catch(() => undefined);
        for (const one of batch) one.reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #replace(snapshot: () => readonly unknown[]): Promise<void> {
    try {
      const records = snapshot();
      const next = await open(`${this.#path}.new`, 'w', 0o600);
      const bytes = Buffer.from(records.map(line).join(''));
      await next.appendFile(bytes);
      await next.sync();
      await next.close();
      await rename(`${this.#path}.new`, this.#path);
      await syncFolder(this.#path);
      await this.#file.close();
      this.#file = await open(this.#path, 'a', 0o600);
      this.lines = records.length;
      this.#bytes = bytes.length;
    } finally {
      this.#writing = this.#waiting.length ? this.#drain() : undefined;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
