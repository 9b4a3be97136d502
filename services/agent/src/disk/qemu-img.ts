/**
 * The only caller of qemu-img. Every call names every format, opens no file whose header a tenant wrote but base images
 * that were checked, and runs under limits of memory, processor time, file size and wall time.
 */
import { rename, rm } from 'node:fs/promises';
import type { Run } from '../exec/run.js';
import { KEY_NAME, withKey } from './key-file.js';

export type DiskFormat = 'qcow2' | 'raw';

/** Of what it can write to. Addresses are no measure: each of its many threads sets aside a hundred megabytes and uses few. */
const MEMORY_BYTES = 1 << 30;
const CPU_SECONDS = 30;
const WALL_MS = 30_000;
/** An overlay that is just made is a few hundred KiB, whatever its virtual size. */
const FILE_BYTES = 64 << 20;

const limitsOf = (cpuSeconds: number) => [`--data=${MEMORY_BYTES}`, `--cpu=${cpuSeconds}`, '--core=0'];
const LIMITS = limitsOf(CPU_SECONDS);

/** The key is random, so nothing is won by making it slow to try; this keeps a start from taking seconds. */
const LUKS = `encrypt.format=luks,encrypt.key-secret=${KEY_NAME},encrypt.iter-time=10`;

export interface NewDisk {
  readonly path: string;
  /** The passphrase of its LUKS layer; undefined for a plain disk. */
  readonly key?: string | undefined;
}

/**
 * Makes a qcow2, complete or not at all, of `bytes` virtual size over a base that is not opened for it (`-u`): the caller
 * knows its format.
 */
export function createOverlay(
  run: Run,
  disk: NewDisk,
  base: { path: string; format: DiskFormat },
  bytes: number,
  signal?: AbortSignal,
): Promise<void> {
  const below = ['-u', '-f', 'qcow2', '-b', base.path, '-F', base.format];
  return make(run, disk, ['create', '-q', ...below], (part) => [part, String(bytes)], { signal, most: FILE_BYTES });
}

/** Makes an empty qcow2 with nothing below it, complete or not at all. */
export function createEmpty(run: Run, disk: NewDisk, bytes: number, signal?: AbortSignal): Promise<void> {
  const args = ['create', '-q', '-f', 'qcow2'];
  return make(run, disk, args, (part) => [part, String(bytes)], { signal, most: FILE_BYTES });
}

/** Makes a qcow2 of a raw file that was written on this node and never seen by a guest, complete or not at all. */
export function fromRaw(run: Run, raw: string, disk: NewDisk, signal?: AbortSignal): Promise<void> {
  return make(run, disk, ['convert', '-q', '-f', 'raw', '-O', 'qcow2'], (part) => [raw, part], { signal });
}

async function make(
  run: Run,
  { path, key }: NewDisk,
  [verb = '', ...options]: readonly string[],
  files: (part: string) => readonly string[],
  { signal, most }: { readonly signal?: AbortSignal | undefined; readonly most?: number },
): Promise<void> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const limits = most === undefined ? LIMITS : [...LIMITS, `--fsize=${most}`];
  await withKey(key, (object) => {
    const sealed = key === undefined ? [] : [...object, '-o', LUKS];
    const args = [...limits, '--', 'qemu-img', verb, ...options, ...sealed, ...files(part)];
    return run('prlimit', args, { timeoutMs: WALL_MS, signal });
  });
  await rename(part, path);
}

const COPY_SECONDS = 3_600;
const COPY_LIMITS = limitsOf(COPY_SECONDS);

/**
 * Copies an overlay of ours with all that lies below it into one qcow2, complete or not at all. For a guest that is off:
 * its header and the name of its base are our own.
 */
export async function flattenDisk(run: Run, from: string, to: string, signal?: AbortSignal): Promise<void> {
  await rm(to, { force: true });
  const args = ['convert', '-q', '-f', 'qcow2', '-O', 'qcow2', from, to];
  await run('prlimit', [...COPY_LIMITS, '--', 'qemu-img', ...args], { timeoutMs: COPY_SECONDS * 1_000, signal });
}

/**
 * A short command on a disk that the arguments describe whole: its format, and that nothing lies below it. The arguments
 * stand after the verb, with the key where there is one.
 */
export const onDisk = (run: Run, [verb = '', ...args]: readonly string[], key?: string): Promise<string> =>
  withKey(key, (object) =>
    run('prlimit', [...LIMITS, '--', 'qemu-img', verb, ...object, ...args], { timeoutMs: WALL_MS }),
  );
