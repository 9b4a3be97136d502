/**
 * The only caller of qemu-img. Every call names every format, opens no file whose header a tenant wrote but base images
 * that were checked, and runs under limits of memory, processor time, file size and wall time.
 */
import { rename, rm } from 'node:fs/promises';
import type { Run } from '../exec/run.js';

export type DiskFormat = 'qcow2' | 'raw';

const MEMORY_BYTES = 1 << 30;
const CPU_SECONDS = 30;
const WALL_MS = 30_000;
/** An overlay that is just made is a few hundred KiB, whatever its virtual size. */
const FILE_BYTES = 64 << 20;

const LIMITS = [`--as=${MEMORY_BYTES}`, `--cpu=${CPU_SECONDS}`, '--core=0'];

/**
 * Makes a qcow2, complete or not at all, of `bytes` virtual size over a base that is not opened for it (`-u`): the caller
 * knows its format.
 */
export async function createOverlay(
  run: Run,
  path: string,
  base: { path: string; format: DiskFormat },
  bytes: number,
  signal?: AbortSignal,
): Promise<void> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const args = ['create', '-q', '-u', '-f', 'qcow2', '-b', base.path, '-F', base.format, part, String(bytes)];
  await run('prlimit', [...LIMITS, `--fsize=${FILE_BYTES}`, '--', 'qemu-img', ...args], { timeoutMs: WALL_MS, signal });
  await rename(part, path);
}

/** Makes an empty qcow2 with nothing below it, complete or not at all. */
export async function createEmpty(run: Run, path: string, bytes: number, signal?: AbortSignal): Promise<void> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const args = ['create', '-q', '-f', 'qcow2', part, String(bytes)];
  await run('prlimit', [...LIMITS, `--fsize=${FILE_BYTES}`, '--', 'qemu-img', ...args], { timeoutMs: WALL_MS, signal });
  await rename(part, path);
}

/** Makes a qcow2 of a raw file that was written on this node and never seen by a guest, complete or not at all. */
export async function fromRaw(run: Run, raw: string, path: string, signal?: AbortSignal): Promise<void> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const args = ['convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, part];
  await run('prlimit', [...LIMITS, '--', 'qemu-img', ...args], { timeoutMs: WALL_MS, signal });
  await rename(part, path);
}

const COPY_SECONDS = 3_600;
const COPY_LIMITS = [`--as=${MEMORY_BYTES}`, `--cpu=${COPY_SECONDS}`, '--core=0'];

/**
 * Copies an overlay of ours with all that lies below it into one qcow2, complete or not at all. For a guest that is off:
 * its header and the name of its base are our own.
 */
export async function flattenDisk(run: Run, from: string, to: string, signal?: AbortSignal): Promise<void> {
  await rm(to, { force: true });
  const args = ['convert', '-q', '-f', 'qcow2', '-O', 'qcow2', from, to];
  await run('prlimit', [...COPY_LIMITS, '--', 'qemu-img', ...args], { timeoutMs: COPY_SECONDS * 1_000, signal });
}

/** A short command on a disk that the arguments describe whole: its format, and that nothing lies below it. */
export const onDisk = (run: Run, args: readonly string[]): Promise<string> =>
  run('prlimit', [...LIMITS, '--', 'qemu-img', ...args], { timeoutMs: WALL_MS });
