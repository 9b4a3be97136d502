/** A container's life on this machine: prepared, started by the supervisor, entered, refreshed, stopped, cleared away. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run, succeeds } from './command.js';
import { type Container, paths, runcId, runcRoot } from './container.js';
import { containerSpec } from './container-spec.js';
import type { Deployment } from './deployment.js';
import { until } from './waiting.js';

/** Pid of the container's first process, while it runs. */
export function runningInit(d: Deployment, name: string): number | undefined {
  const file = join(d.state, 'run', `${name}.init.pid`);
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8'));
  try {
    // The machine's own init may take its time to bury the dead: a zombie has ended.
    const dead = / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, '').slice(0, 3));
    const ours = new RegExp(`/yagura-${d.id}/${name}(/init)?$`, 'm').test(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    return ours && !dead ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Folders, specification and supervision of the container. An upper layer is only ever made for a stopped container. */
export async function prepareContainer(d: Deployment, container: Container, root: string): Promise<void> {
  const of = paths(d, container.name);
  for (const folder of [of.home, of.config, of.data, of.run, of.log]) mkdirSync(folder, { recursive: true });
  for (const { from, seed } of container.data) {
    const folder = join(of.data, from);
    if (existsSync(folder)) continue;
    if (seed && existsSync(join(root, seed))) await run(['cp', '-a', join(root, seed), folder]);
    else mkdirSync(folder, { recursive: true });
  }
  linkLogs(d, container);
  if (runningInit(d, container.name) === undefined) await freshRoot(d, container, root);
  writeFileSync(join(of.home, 'config.json'), JSON.stringify(containerSpec(d, container)));
}

async function freshRoot(d: Deployment, container: Container, root: string): Promise<void> {
  const { home } = paths(d, container.name);
  await unmount(join(home, 'root'));
  for (const layer of ['upper', 'work']) rmSync(join(home, layer), { recursive: true, force: true });
  for (const folder of ['upper', 'work', 'root']) mkdirSync(join(home, folder), { recursive: true });
  writeFileSync(join(home, 'lower'), root);
}

function linkLogs(d: Deployment, container: Container): void {
  for (const { name } of container.processes) {
    const link = join(d.state, 'log', `${container.name}.${name}.log`);
    const target = join(container.name, name, 'current');
    try {
      if (readlinkSync(link) === target) continue;
      unlinkSync(link);
    } catch {
      // There was none.
    }
    symlinkSync(target, link);
  }
}

/** Runs a program in the container to its end; `user` is a name there. */
export function execIn(
  d: Deployment,
  name: string,
  argv: readonly string[],
  options: { input?: string; user?: string; timeoutMs?: number } = {},
): Promise<string> {
  const as = options.user ? ['setpriv', '--reuid', options.user, '--regid', options.user, '--init-groups', '--'] : [];
  return run(['runc', '--root', runcRoot(d), 'exec', runcId(d, name), ...as, ...argv], {
    ...(options.input === undefined ? {} : { input: options.input }),
    timeoutMs: options.timeoutMs ?? 60_000,
  });
}

/** Lets a running container follow its list of processes. */
export const refresh = (d: Deployment, name: string): Promise<string> =>
  execIn(d, name, ['/yagura/deploy/container/init.sh', 'refresh']);

export const restartProcess = (d: Deployment, name: string, process: string): Promise<string> =>
  execIn(d, name, ['s6-svc', '-r', `/run/sv/${process}`]);

/** Ends the container: first by asking its supervisor, which gives each process its time, then by force. */
export async function stopContainer(d: Deployment, name: string, limitMs: number): Promise<void> {
  const init = runningInit(d, name);
  if (init !== undefined) {
    process.kill(init, 'SIGTERM');
    await until(limitMs, 100, () => runningInit(d, name) === undefined);
  }
  await succeeds(['runc', '--root', runcRoot(d), 'delete', '--force', runcId(d, name)]);
  await unmount(join(paths(d, name).home, 'root'));
  rmSync(paths(d, name).run, { recursive: true, force: true });
}

export async function unmount(path: string): Promise<void> {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === path);
  if (mounted) await run(['umount', '-l', path]);
}
