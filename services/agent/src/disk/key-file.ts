/**
 * A passphrase where qemu-img can read it: in a file of its own, in memory, for nobody else, and only as long as the command
 * runs. It is named on the command line, never written there.
 */
import { mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '#libs/kernel';

const FOLDER = '/dev/shm';
const PREFIX = 'yagura-key-';
const TMPFS = 0x01021994;
/** By what name the options of a command mean it. */
export const KEY_NAME = 'key';

/** Without a key the work gets no arguments. */
export async function withKey<T>(key: string | undefined, work: (args: readonly string[]) => Promise<T>): Promise<T> {
  if (key === undefined) return work([]);
  if ((await statfs(FOLDER)).type !== TMPFS) throw fail.conflict(`${FOLDER} of the node does not lie in memory`);
  const folder = await mkdtemp(join(FOLDER, PREFIX));
  try {
    const path = join(folder, 'key');
    await writeFile(path, key, { mode: 0o600 });
    return await work(['--object', `secret,id=${KEY_NAME},file=${path}`]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what an agent that was killed in the middle of a command has left. */
export async function clearKeys(): Promise<void> {
  const names = await readdir(FOLDER).catch((): string[] => []);
  for (const name of names.filter((one) => one.startsWith(PREFIX)))
    await rm(join(FOLDER, name), { recursive: true, force: true });
}
