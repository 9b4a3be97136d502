/**
 * Disks that begin empty, formatted where that was asked for. The file system is written into a sparse raw file of our own,
 * before any guest has seen it, and turned into a qcow2: a few milliseconds for a swap disk, a fraction of a second for a
 * large file system.
 */
import { open, rm } from 'node:fs/promises';
import { fail } from '#libs/kernel';
import type { Run } from '../exec/run.js';
import { createEmpty, fromRaw, type NewDisk } from './qemu-img.js';

export interface BlankDisk extends NewDisk {
  readonly bytes: number;
  /** ext2, ext3, ext4, vfat, swap, or '' for a blank disk. */
  readonly format: string;
  /** Of the file system; at most 11 letters. */
  readonly label: string;
}

/** Beyond it a FAT file system would need other sectors than disks have. */
const MOST_FAT = 2 ** 41 - 2 ** 20;
const LAZY = 'lazy_itable_init=1,lazy_journal_init=1,nodiscard';
const EXTENDED = ['ext2', 'ext3', 'ext4'];
const WALL_MS = 60_000;

/** Pure: the command that writes a file system into the file, or undefined. */
function formatCommand({ format, label, bytes }: BlankDisk, raw: string): readonly [string, string[]] | undefined {
  if (format === '') return undefined;
  if (format === 'swap') return ['mkswap', [raw]];
  if (format === 'vfat') return bytes > MOST_FAT ? undefined : ['mkfs.vfat', ['-n', label, raw]];
  if (!EXTENDED.includes(format)) throw fail.conflict(`this node can not format disks as ${format.slice(0, 20)}`);
  return ['mke2fs', ['-q', '-F', '-t', format, '-L', label, '-E', LAZY, raw]];
}

/** Makes the disk, complete or not at all. */
export async function makeBlank(run: Run, disk: BlankDisk, signal?: AbortSignal): Promise<void> {
  const raw = `${disk.path}.raw`;
  const command = formatCommand(disk, raw);
  if (!command) return createEmpty(run, disk, disk.bytes, signal);
  try {
    await truncated(raw, disk.bytes);
    await run(...command, { timeoutMs: WALL_MS, signal });
    await fromRaw(run, raw, disk, signal);
  } finally {
    await rm(raw, { force: true });
  }
}

async function truncated(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}
