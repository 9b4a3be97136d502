/** The serial log that virtlogd writes: `console.log`, and older parts as `console.log.0` (newest) to `.2`. */
import { open } from 'node:fs/promises';

/** More than this is never read, whatever is asked for. */
const MAX_BYTES = 1 << 20;

async function tailOf(path: string, bytes: number): Promise<Buffer | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The last `count` lines of some bytes; a last line without its end counts. */
export function lastLines(bytes: Buffer, count: number): Buffer {
  let at = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length;
  for (let n = 0; n < count; n++) {
    at = bytes.lastIndexOf(10, at - 1);
    if (at < 0 || at === 0) return at === 0 && n + 1 === count ? bytes.subarray(1) : bytes;
  }
  return bytes.subarray(at + 1);
}

/** The last lines over all parts; everything kept, up to 1 MiB, when `lines` is not above 0. */
export async function readConsole(path: string, lines: number): Promise<Buffer> {
  let log: Buffer = Buffer.alloc(0);
  for (const part of [path, `${path}.0`, `${path}.1`, `${path}.2`]) {
    const room = MAX_BYTES - log.length;
    if (room <= 0) break;
    const bytes = await tailOf(part, room);
    if (!bytes) break;
    log = Buffer.concat([bytes, log]);
  }
  return lines > 0 ? lastLines(log, lines) : log;
}
