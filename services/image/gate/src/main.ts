/**
 * The sandboxed program that looks at uploaded bytes: `main.js FORMAT MAX_VIRTUAL_BYTES`, the file as standard input, one
 * line of JSON as output. Its parent limits CPU, memory, time and output and takes its network away; it gives up root
 * before it reads the first byte. It imports nothing but the inspectors beside it.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { inspect } from './inspect.js';
import { Refusal, type Source } from './source.js';

const NOBODY = 65_534;
const STDIN = 0;
const STDOUT = 1;

function dropRoot(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
  if (process.getuid?.() === 0) throw new Error('root could not be given up');
}

function stdin(): Source {
  const stat = fstatSync(STDIN);
  if (!stat.isFile()) throw new Error('standard input must be a file');
  const read = (offset: number, length: number): Buffer => {
    if (offset >= stat.size) return Buffer.alloc(0);
    const buffer = Buffer.alloc(Math.min(length, stat.size - offset));
    let filled = 0;
    while (filled < buffer.length) {
      const got = readSync(STDIN, buffer, filled, buffer.length - filled, offset + filled);
      if (got === 0) break;
      filled += got;
    }
    return buffer.subarray(0, filled);
  };
  return { size: stat.size, read };
}

function judge(): object {
  const [format = '', maxVirtual = ''] = process.argv.slice(2);
  try {
    return { ok: true, ...inspect(stdin(), format, { maxVirtual: Number(maxVirtual) }) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

dropRoot();
writeSync(STDOUT, `${JSON.stringify(judge())}\n`);
