/** Real kills of real processes, by the host's pid files. The supervisor brings each back. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay } from '#libs/kernel';

export interface Fault {
  readonly at: number;
  readonly process: string;
}

/** What may be killed: everything but the edge (the test speaks through it) and the real nodes (other tests' guests). */
const VICTIMS =
  /^controller\.(identity-1|identity-2|image|network|placement|compute|simulated|rabbitmq|postgresql|ovn-nb|ovn-northd)\.pid$/;

export function victims(state: string): string[] {
  return readdirSync(join(state, 'run')).filter((file) => VICTIMS.test(file));
}

/** kill -9 of one process. True when it was there to be killed. */
export function strike(state: string, file: string): boolean {
  const path = join(state, 'run', file);
  if (!existsSync(path)) return false;
  const pid = Number(readFileSync(path, 'utf8').trim().split(/\s/)[0]);
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** Kills a random process every `everyMs` until the signal; each of the victims at least once when time allows. */
export async function rage(state: string, everyMs: number, random: () => number, stop: AbortSignal): Promise<Fault[]> {
  const faults: Fault[] = [];
  const files = victims(state);
  let round: string[] = [];
  while (!stop.aborted) {
    await delay(everyMs * (0.5 + random()), stop);
    if (stop.aborted) break;
    if (!round.length) round = [...files];
    const [file] = round.splice(Math.floor(random() * round.length), 1);
    if (file && strike(state, file)) faults.push({ at: Date.now(), process: file.replace(/\.pid$/, '') });
  }
  return faults;
}

/** A small seeded generator, so that a run can be repeated (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
