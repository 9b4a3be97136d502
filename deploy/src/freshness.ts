/**
 * Which running processes work from something older than what is there now. A file is only ever written when it is
 * different, so times tell it: a process is stale when one of its files is newer than its start. This holds across an
 * `up` that was interrupted between writing and restarting.
 */
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Container, type ContainerProcess, paths } from './container.js';
import type { Deployment } from './deployment.js';

/** Files of the configuration that others than our own programs read; a missing entry means none. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  haproxy: ['haproxy.cfg'],
  postgresql: ['postgresql.conf', 'pg_hba.conf'],
  rabbitmq: ['rabbitmq.conf', 'rabbitmq-env.conf'],
  libvirtd: ['libvirtd.conf', 'qemu.conf'],
  'ovs-vswitchd': ['env'],
  'ovn-controller': ['env'],
};

const time = (file: string): number => (existsSync(file) ? statSync(file).mtimeMs : 0);

export function staleProcesses(d: Deployment, container: Container): ContainerProcess[] {
  return container.processes.filter((process) => {
    const started = time(join(paths(d, container.name).run, 'pid', process.name));
    return started > 0 && inputsOf(d, container, process).some((file) => time(file) > started);
  });
}

function inputsOf(d: Deployment, container: Container, { name, script }: ContainerProcess): string[] {
  const { config } = paths(d, container.name);
  const start = join(d.checkout, 'deploy', 'container', 'processes', `${script}.sh`);
  if (script !== 'service' && script !== 'agent')
    return [start, ...(FILES[name] ?? []).map((file) => join(config, file))];
  const tls = readdirSync(join(config, 'tls')).map((file) => join(config, 'tls', file));
  return [start, join(config, `${name}.json`), join(d.checkout, 'dist', '.build'), ...tls];
}

/** Whether the file of the configuration changed since `mark` was last set; a container's start sets every mark. */
export class Mark {
  readonly #mark: string;
  readonly #file: string;
  readonly #started: string;

  /** `process` reads the file when it starts; without one, the container does. */
  constructor(d: Deployment, container: string, file: string, process?: string) {
    const of = paths(d, container);
    this.#file = join(of.config, file);
    this.#mark = join(of.run, `seen-${file}`);
    this.#started = process ? join(of.run, 'pid', process) : join(of.run, 'init.pid');
  }

  get changed(): boolean {
    return time(this.#file) > Math.max(time(this.#mark), time(this.#started));
  }

  set(): void {
    rmSync(this.#mark, { force: true });
    writeFileSync(this.#mark, '');
  }
}
