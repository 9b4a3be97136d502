/** Real kills of real processes, by the host's pid files. The supervisor brings each back. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { delay } from '#libs/kernel';
import { readConfig } from '#libs/platform/config';

export interface Fault {
  readonly at: number;
  readonly process: string;
  /** As the host counts: the process that was killed. */
  readonly pid: number;
  /** When it was seen to work again, give or take a pause between two kills; undefined where nobody looked in time. */
  backAfterMs?: number;
}

/** What may be killed: everything but the edge (the test speaks through it) and the real nodes (other tests' guests). */
export const VICTIMS = [
  ...['identity-1', 'identity-2', 'image', 'network', 'placement', 'compute', 'simulated'],
  ...['rabbitmq', 'postgresql', 'ovn-nb', 'ovn-sb', 'ovn-northd'],
].map((name) => `controller.${name}`);
/** A killed process is gone at once; its entry goes when its supervisor has noticed. */
const DEAD_WITHIN_MS = 5_000;

/** The pid of a process of this cloud; undefined while it is down. A number that went to a stranger since is not taken. */
export function pidOf(state: string, name: string): number | undefined {
  const path = join(state, 'run', `${name}.pid`);
  if (!existsSync(path)) return undefined;
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    const container = name.split('.')[0] ?? '';
    const init = readFileSync(join(state, 'run', `${container}.init.pid`), 'utf8').trim();
    return readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync(`/proc/${init}/ns/pid`) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** kill -9 of one process, and a look whether it died of it. Returns its pid; undefined when it was down already. */
export async function strike(state: string, name: string): Promise<number | undefined> {
  const pid = pidOf(state, name);
  if (pid === undefined) return undefined;
  const born = birthOf(pid);
  process.kill(pid, 'SIGKILL');
  for (let waited = 0; birthOf(pid) === born && born !== undefined; waited += 20) {
    if (waited > DEAD_WITHIN_MS) throw new Error(`${name} (${pid}) survived kill -9`);
    await delay(20);
  }
  return pid;
}

/** When a living process was started, in ticks since the machine's start; undefined for one that is dead or a zombie. */
function birthOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** A service that has not come back by then never will. Generous: a machine under load takes half a minute for a start. */
const BACK_WITHIN_MS = 120_000;
/** So many are brought down on top of each other; then all of them may come back, be the machine ever so slow. */
const DOWN_AT_ONCE = 3;

export interface Rampage {
  readonly victims: readonly string[];
  readonly everyMs: number;
  readonly random: () => number;
  readonly faults: Fault[];
  readonly stop: AbortSignal;
}

/**
 * Kills a random process every `everyMs` until the signal, each of the victims once before any a second time. In waves:
 * when enough are down at once, none is killed before they have come back. Adds each kill to `faults`.
 */
export async function rage(state: string, { victims, everyMs, random, faults, stop }: Rampage): Promise<void> {
  const ready = readiness(state);
  let down: Fault[] = [];
  let resting = false;
  let round: string[] = [];
  while (!stop.aborted) {
    await delay(everyMs * (0.5 + random()), stop);
    const back = await Promise.all(down.map((fault) => ready(fault)));
    for (const [index, fault] of down.entries()) if (back[index]) fault.backAfterMs = Date.now() - fault.at;
    down = down.filter((_fault, index) => !back[index]);
    const lost = down.find((fault) => Date.now() - fault.at > BACK_WITHIN_MS);
    if (lost) throw new Error(`${lost.process} has not come back within ${BACK_WITHIN_MS / 1000} s`);
    resting = down.length >= DOWN_AT_ONCE || (resting && down.length > 0);
    if (stop.aborted || resting) continue;
    if (!round.length) round = [...victims];
    const [name] = round.splice(Math.floor(random() * round.length), 1);
    const pid = name === undefined ? undefined : await strike(state, name);
    if (name === undefined || pid === undefined) continue;
    const fault: Fault = { at: Date.now(), process: name, pid };
    faults.push(fault);
    down = [...down.filter((known) => known.process !== name), fault];
  }
}

/** Whether what was killed works again: it has a new pid and, where it is a service, its gRPC port is open. */
function readiness(state: string): (fault: Fault) => Promise<boolean> {
  const { peers = {} } = readConfig(join(state, 'etc', 'cli.json'));
  return async ({ process: name, pid }) => {
    const now = pidOf(state, name);
    if (now === undefined || now === pid) return false;
    const [, service = '', number = '1'] = /^controller\.([a-z]+)(?:-([0-9]+))?$/.exec(name) ?? [];
    const address = peers[service]?.[Number(number) - 1];
    return address === undefined || (await opens(address));
  };
}

function opens(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 1_000 });
    const end = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Processes that do not run, or not anew since they were killed last. One without a pid file counts as down. */
export function stillDown(state: string, victims: readonly string[], faults: readonly Fault[]): string[] {
  const killed = new Map(faults.map((fault) => [fault.process, fault.pid]));
  return victims.filter((name) => {
    const pid = pidOf(state, name);
    return pid === undefined || pid === killed.get(name);
  });
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
