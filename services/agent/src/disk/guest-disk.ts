/**
 * A guest's own disk from outside: its size and the snapshots inside it. It is opened alone, never with what its
 * header names, for a QEMU that was broken out of could have written another file's name there.
 */
import { open } from 'node:fs/promises';
import { fail } from '#libs/kernel';
import type { Run } from '../exec/run.js';
import { KEY_NAME } from './key-file.js';
import { namesDataFile } from './qcow2-header.js';
import { onDisk } from './qemu-img.js';

/** A guest's disk: a qcow2 that we made, with snapshots inside it. Only while no QEMU has it. */
export class GuestDisk {
  constructor(
    private readonly run: Run,
    private readonly path: string,
    /** Of its LUKS layer. */
    private readonly key: string | undefined,
  ) {}

  /** Bytes, and the names of the snapshots. */
  async look(): Promise<{ readonly bytes: number; readonly snapshots: readonly string[] }> {
    const text = await this.#command('info', '--output=json');
    const { 'virtual-size': bytes, snapshots = [] } = JSON.parse(text) as {
      'virtual-size': number;
      snapshots?: { name: string }[];
    };
    return { bytes, snapshots: snapshots.map(({ name }) => name) };
  }

  /** Keeps the disk as it is, whatever is written from now on. Takes no longer for a large disk. */
  async snapshot(name: string): Promise<void> {
    await this.#command('snapshot', '-q', '-c', name);
  }

  /** Back to the contents and the size of then; the snapshot stays. */
  async goBackTo(name: string): Promise<void> {
    await this.#command('snapshot', '-q', '-a', name);
  }

  async forget(name: string): Promise<void> {
    await this.#command('snapshot', '-q', '-d', name);
  }

  async growTo(bytes: number): Promise<void> {
    await this.#command('resize', '-q', undefined, String(bytes));
  }

  /** The file name stands last, or where undefined does. */
  async #command(...args: readonly (string | undefined)[]): Promise<string> {
    await assertAlone(this.path);
    const file = { driver: 'file', filename: this.path };
    const encrypt = this.key === undefined ? {} : { encrypt: { format: 'luks', 'key-secret': KEY_NAME } };
    const name = `json:${JSON.stringify({ driver: 'qcow2', file, backing: null, ...encrypt })}`;
    const list = (args.includes(undefined) ? args : [...args, undefined]).map((arg) => arg ?? name);
    return onDisk(this.run, list, this.key);
  }
}

async function assertAlone(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const header = Buffer.alloc(104);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    if (namesDataFile(header.subarray(0, bytesRead))) throw fail.conflict('the disk of the server names another file');
  } finally {
    await file.close();
  }
}
