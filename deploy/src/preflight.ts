/** Says before anything is touched what this machine lacks, in words that name the remedy. */
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { run, succeeds } from './command.js';
import { runningInit } from './containers.js';
import type { Deployment } from './deployment.js';

const NEEDED_BYTES = 4 * 2 ** 30;

export async function preflight(d: Deployment): Promise<void> {
  const missing = [...(await namespaces()), ...overlay(), ...disk(d), ...memory(), ...(await port(d)), ...groups()];
  if (missing.length > 0)
    throw new Error(`this machine can not run the cloud:\n${missing.map((line) => `  - ${line}`).join('\n')}`);
}

async function namespaces(): Promise<string[]> {
  const ok = await succeeds(['unshare', '--mount', '--uts', '--ipc', '--pid', '--net', '--cgroup', '--fork', 'true']);
  return ok
    ? []
    : [
        'no permission to make namespaces: run as root outside of a restricted container (CAP_SYS_ADMIN, CAP_NET_ADMIN)',
      ];
}

const overlay = (): string[] =>
  /\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8'))
    ? []
    : ['the kernel has no overlay file system: modprobe overlay'];

function disk(d: Deployment): string[] {
  const { bavail, bsize } = statfsSync(d.state);
  const free = bavail * bsize;
  return free >= NEEDED_BYTES
    ? []
    : [
        `${d.state} has ${(free / 2 ** 30).toFixed(1)} GiB free, 4 GiB are needed: make room, or point YAGURA_STATE elsewhere`,
      ];
}

function memory(): string[] {
  const kib = Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
  return kib >= 1_500_000 ? [] : [`${Math.round(kib / 1024)} MiB of memory are available, 1500 MiB are needed`];
}

const groups = (): string[] =>
  existsSync('/sys/fs/cgroup/cgroup.controllers') || existsSync('/sys/fs/cgroup/devices')
    ? []
    : ['no control groups are mounted at /sys/fs/cgroup'];

/** The endpoint's port must be ours or nobody's. */
async function port(d: Deployment): Promise<string[]> {
  if (runningInit(d, 'edge') !== undefined) return [];
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(d.port, d.bind, () => probe.close(() => resolve(undefined)));
  });
  if (!error) return [];
  const who = await run(['ss', '-Hltnp', `sport = :${d.port}`]).catch(() => '');
  const user = /users:\(\("([^"]+)",pid=(\d+)/.exec(who);
  return [
    `${d.bind}:${d.port} can not be used (${error.code ?? error.message}${user ? `, ${user[1]} has it, pid ${user[2]}` : ''}): choose another with --port`,
  ];
}
