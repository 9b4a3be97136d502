import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Run } from '../exec/run.js';
import { makeBlank } from './blank-disk.js';

let folder: string;
let path: string;
let calls: string[][];
let broken: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-blank-'));
  path = join(folder, 'local.qcow2');
  calls = [];
  broken = '';
});
afterEach(() => rmSync(folder, { recursive: true }));

const run: Run = async (command, args) => {
  calls.push([command, ...args]);
  if (broken && [command, ...args].includes(broken)) throw new Error('killed');
  const raw = args.find((arg) => arg.endsWith('.raw'));
  if (raw) expect(statSync(raw).size).toBe(64 << 20);
  const made = args.find((arg) => arg.endsWith('.part'));
  if (made) writeFileSync(made, '');
  return '';
};

const make = (format: string, bytes = 64 << 20) => makeBlank(run, { path, bytes, format, label: 'ephemeral0' });

it.each([
  ['swap', 'mkswap', []],
  ['vfat', 'mkfs.vfat', ['-n', 'ephemeral0']],
  ['ext4', 'mke2fs', ['-t', 'ext4', '-L', 'ephemeral0']],
  ['ext2', 'mke2fs', ['-t', 'ext2']],
])('formats %s in a file of its own, which it leaves nothing of', async (format, command, args) => {
  await make(format);
  expect(calls[0]).toEqual(expect.arrayContaining([command, ...args, `${path}.raw`]));
  expect(calls[1]!.slice(calls[1]!.indexOf('qemu-img'))).toEqual([
    ...['qemu-img', 'convert', '-q', '-f', 'raw', '-O', 'qcow2', `${path}.raw`, `${path}.part`],
  ]);
  expect(readdirSync(folder)).toEqual(['local.qcow2']);
});

it.each([
  ['', 64 << 20],
  ['vfat', 2 ** 42],
])('leaves blank what is to be, and what is too large: %j, %d', async (format, bytes) => {
  await make(format, bytes);
  expect(calls.map(([command]) => command)).toEqual(['prlimit']);
  expect(calls[0]!.at(-1)).toBe(String(bytes));
});

it.each(['mkfs.vfat', 'convert'])('leaves nothing when it is cut off at %s', async (at) => {
  broken = at;
  await expect(make('vfat')).rejects.toThrow('killed');
  expect(existsSync(path)).toBe(false);
  broken = '';
  await make('vfat');
  expect(readdirSync(folder)).toEqual(['local.qcow2']);
});

it('knows no other format', async () => {
  await expect(make('ntfs')).rejects.toThrow('ntfs');
});
