/** The supervisor on the host: one keeper per container and the guard that watches the supervisor itself. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run, succeeds } from './command.js';
import { cgroupOf } from './container.js';
import type { Deployment } from './deployment.js';
import { until } from './waiting.js';

const scanOf = (d: Deployment): string => join(d.state, 'run', 'sv');
const scripts = (d: Deployment): string => join(d.checkout, 'deploy', 'container');
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export function supervisorPid(d: Deployment): number | undefined {
  const file = join(d.state, 'run', 'host.supervisor.pid');
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8'));
  try {
    // Its working folder tells it from any other process that has got the number since.
    const [name, folder] = [readFileSync(`/proc/${pid}/comm`, 'utf8'), readlinkSync(`/proc/${pid}/cwd`)];
    return name === 's6-svscan\n' && folder === scanOf(d) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Declares which containers are to be kept up, and starts the supervisor where it does not run. */
export async function supervise(d: Deployment, containers: readonly string[]): Promise<void> {
  const scan = scanOf(d);
  mkdirSync(scan, { recursive: true });
  service(d, 'guard', [join(scripts(d), 'guard.sh'), d.state]);
  for (const name of containers) service(d, `keep-${name}`, [join(scripts(d), 'keep.sh'), d.state, name, cgroupOf(d)]);
  if (supervisorPid(d) === undefined) {
    spawn('setsid', [join(scripts(d), 'supervise.sh'), d.state], { detached: true, stdio: 'ignore', cwd: '/' }).unref();
    if (!(await until(5_000, 50, () => supervisorPid(d) !== undefined)))
      throw new Error(`the supervisor did not start: see ${d.state}/log/host.supervisor.log`);
  } else {
    await run(['s6-svscanctl', '-a', scan]);
  }
}

function service(d: Deployment, name: string, argv: readonly string[]): void {
  const folder = join(scanOf(d), name);
  if (existsSync(folder)) return;
  const part = join(scanOf(d), `.${name}`);
  rmSync(part, { recursive: true, force: true });
  mkdirSync(join(part, 'log'), { recursive: true });
  const log = join(d.state, 'log', 'host', name);
  mkdirSync(log, { recursive: true });
  script(join(part, 'run'), ['exec 2>&1', `exec ${argv.map(quote).join(' ')}`]);
  script(join(part, 'log', 'run'), [`exec s6-log -b n2 s500000 T ${quote(log)}`]);
  renameSync(part, folder);
}

function script(path: string, lines: readonly string[]): void {
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(path, 0o755);
}

/** Stops keeping a container up; the container itself goes on. */
export async function release(d: Deployment, container: string): Promise<void> {
  const folder = join(scanOf(d), `keep-${container}`);
  if (!existsSync(folder)) return;
  if (supervisorPid(d) === undefined) rmSync(folder, { recursive: true });
  else await run(['s6-svunlink', '-t', '3000', scanOf(d), `keep-${container}`]);
}

export const keptContainers = (d: Deployment): string[] =>
  existsSync(scanOf(d))
    ? readdirSync(scanOf(d)).flatMap((name) => (name.startsWith('keep-') ? [name.slice(5)] : []))
    : [];

/** Ends the supervisor with all that it supervises on the host. */
export async function endSupervision(d: Deployment): Promise<void> {
  const scan = scanOf(d);
  if (!existsSync(scan)) return;
  for (const name of ['guard']) await succeeds(['s6-svc', '-dx', join(scan, name)]);
  const pid = supervisorPid(d);
  if (pid !== undefined) {
    await succeeds(['s6-svscanctl', '-t', scan]);
    await until(5_000, 50, () => supervisorPid(d) === undefined);
  }
  await succeeds(['bash', join(scripts(d), 'orphans.sh'), d.state]);
  rmSync(scan, { recursive: true, force: true });
  rmSync(join(d.state, 'run', 'host.supervisor.pid'), { force: true });
}
