/** The steps of `up` between "the machine can" and "the cloud answers". */
import { mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority } from './certificates.js';
import { run } from './command.js';
import { writeConfigFolder } from './config-folder.js';
import { type Container, paths } from './container.js';
import { containerFiles, type Sources } from './container-config.js';
import { prepareContainer, refresh, restartProcess, runningInit, stopContainer } from './containers.js';
import type { Deployment } from './deployment.js';
import { originAnswers, processesRun, servicesHealthy, tailOf } from './health.js';
import { makeBridges, makeNamespace, removeNamespace } from './host-network.js';
import { containersOf } from './layout.js';
import type { Progress } from './progress.js';
import { provisionBroker, provisionDatabases } from './provision.js';
import type { Secrets } from './secrets.js';
import { cliConfig } from './service-config.js';
import { keptContainers, release, supervise } from './supervision.js';
import { writeTestStores } from './test-stores.js';
import { until } from './waiting.js';

export async function bringUp(
  d: Deployment,
  secrets: Secrets,
  authority: Authority,
  progress: Progress,
): Promise<void> {
  const root = await progress.step('Debian 13 root', () => rootOf(d, 'base'));
  const nowMs = Date.now();
  const containers = containersOf(d);
  await progress.step('containers of earlier options removed', () => removeUnwanted(d, containers));
  const changes = await progress.step('configuration and certificates', () =>
    configure(d, containers, { root, secrets, authority, nowMs }),
  );
  await progress.step('network', async () => {
    await makeBridges(d);
    for (const container of containers) if (container.interfaces) await makeNamespace(d, container);
  });
  await progress.step(`containers: ${containers.map((c) => c.name).join(', ')}`, () =>
    start(d, containers, changes, root),
  );
  await progress.step('PostgreSQL: databases and roles', () => provisionDatabases(d, secrets));
  await progress.step('RabbitMQ: users and permissions', () =>
    provisionBroker(d, changes.ran('controller') && changes.has('controller', 'rabbitmq-definitions.json')),
  );
  await progress.step('services healthy', () => servicesHealthy(d, 120_000));
  await progress.step('endpoint answers', () => originAnswers(d, 30_000));
  await progress.step('every process runs', async () => {
    for (const container of containers) await processesRun(d, container, 60_000);
  });
}

/** Builds the root where it is not there yet; a build that already runs in the background is waited for. */
export async function rootOf(d: Deployment, kind: 'base' | 'client'): Promise<string> {
  const script = join(d.checkout, 'deploy', 'root', 'build.sh');
  const log = join(d.state, 'log', `root-${kind}.log`);
  const env = { ...process.env, YAGURA_ROOTS: d.roots };
  await run([script, kind], { env, log }).catch(() => {
    throw new Error(`the Debian root (${kind}) was not built; the end of ${log}:\n${tailOf(log, 8)}`);
  });
  return realpathSync((await run([script, kind], { env })).trim());
}

async function removeUnwanted(d: Deployment, wanted: readonly Container[]): Promise<void> {
  for (const name of keptContainers(d).filter((kept) => !wanted.some((container) => container.name === kept))) {
    await release(d, name);
    await stopContainer(d, name, 15_000);
    await removeNamespace(d, name);
  }
}

/** Which containers were running before, and which of their configuration files are different now. */
class Changes {
  #files = new Map<string, Set<string>>();
  #ran = new Set<string>();

  note(container: string, files: Set<string>, ran: boolean): void {
    this.#files.set(container, files);
    if (ran) this.#ran.add(container);
  }
  ran = (container: string): boolean => this.#ran.has(container);
  has = (container: string, file: string): boolean => this.#files.get(container)?.has(file) ?? false;
}

async function configure(d: Deployment, containers: readonly Container[], sources: Sources): Promise<Changes> {
  const changes = new Changes();
  for (const container of containers) {
    const files = writeConfigFolder(paths(d, container.name).config, await containerFiles(d, container, sources));
    changes.note(container.name, files, runningInit(d, container.name) !== undefined);
  }
  mkdirSync(join(d.state, 'etc'), { recursive: true });
  writeFileSync(join(d.state, 'etc', 'cli.json.new'), await cliConfig(d, sources.authority, sources.nowMs), {
    mode: 0o600,
  });
  renameSync(join(d.state, 'etc', 'cli.json.new'), join(d.state, 'etc', 'cli.json'));
  writeTestStores(d, sources.secrets);
  return changes;
}

async function start(d: Deployment, containers: readonly Container[], changes: Changes, root: string): Promise<void> {
  const builds = new BuildMark(d);
  for (const container of containers) await prepareContainer(d, container, root);
  await supervise(
    d,
    containers.map((container) => container.name),
  );
  for (const { name } of containers) {
    if (!(await until(30_000, 50, () => runningInit(d, name) !== undefined)))
      throw new Error(
        `the container ${name} does not start: see ${d.state}/log/host/keep-${name}/current and ${d.state}/log/${name}/init.log`,
      );
  }
  for (const container of containers.filter(({ name }) => changes.ran(name))) {
    if (changes.has(container.name, 'processes')) await refresh(d, container.name);
    for (const process of container.processes) {
      if (stale(container, process.name, process.script, changes, builds))
        await restartProcess(d, container.name, process.name);
    }
  }
  builds.remember();
}

/** Whether a running process works from something that is different now: its own configuration, or our code. */
function stale(container: Container, process: string, script: string, changes: Changes, builds: BuildMark): boolean {
  const has = (file: string): boolean => changes.has(container.name, file);
  if (script === 'service' || script === 'agent') return has(`${process}.json`) || has('tls/ca.crt') || builds.changed;
  const files: Record<string, string[]> = {
    haproxy: ['haproxy.cfg'],
    postgresql: ['postgresql.conf', 'pg_hba.conf'],
    rabbitmq: ['rabbitmq.conf', 'rabbitmq-env.conf'],
    libvirtd: ['libvirtd.conf', 'qemu.conf'],
    'ovs-vswitchd': ['env'],
    'ovn-controller': ['env'],
  };
  return (files[process] ?? []).some(has);
}

/** Remembers which build the running processes were started from. */
class BuildMark {
  readonly #file: string;
  readonly #now: string;
  readonly changed: boolean;

  constructor(d: Deployment) {
    this.#file = join(d.state, 'run', 'build');
    this.#now = readFileSync(join(d.checkout, 'dist', '.build'), 'utf8');
    this.changed = readOr(this.#file, this.#now) !== this.#now;
  }

  remember(): void {
    writeFileSync(this.#file, this.#now);
  }
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
