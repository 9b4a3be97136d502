/** The steps of `up` between "the machine can" and "the cloud answers". */
import { mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority } from './certificates.js';
import { run } from './command.js';
import { writeConfigFolder } from './config-folder.js';
import { type Container, paths } from './container.js';
import { containerFiles, type Sources } from './container-config.js';
import { prepareContainer, refresh, restartProcess, runningInit, stopContainer } from './containers.js';
import type { Deployment } from './deployment.js';
import { Mark, staleProcesses } from './freshness.js';
import {
  gatewaysReady,
  nodesHealthy,
  originAnswers,
  processesRun,
  serviceHealthy,
  servicesHealthy,
  tailOf,
} from './health.js';
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
  await progress.step('configuration and certificates', () =>
    configure(d, containers, { root, secrets, authority, nowMs }),
  );
  await progress.step('network', async () => {
    await makeBridges(d);
    for (const container of containers) if (container.interfaces) await makeNamespace(d, container);
  });
  await progress.step(`containers: ${containers.map((c) => c.name).join(', ')}`, () => start(d, containers, root));
  await progress.step('changes taken up', () => renew(d, containers));
  await Promise.all([
    progress.step('PostgreSQL: databases and roles', () => provisionDatabases(d, secrets)),
    progress.step('RabbitMQ: users and permissions', () => provisionBroker(d)),
  ]);
  await progress.step('services healthy', () => servicesHealthy(d, 120_000));
  await progress.step('endpoint answers', () => originAnswers(d, 30_000));
  await progress.step('nodes healthy', () => nodesHealthy(d, 120_000));
  if (d.nodes > 0) await progress.step('nodes joined the network', () => gatewaysReady(d, 60_000));
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

async function configure(d: Deployment, containers: readonly Container[], sources: Sources): Promise<void> {
  for (const container of containers)
    writeConfigFolder(paths(d, container.name).config, await containerFiles(d, container, sources));
  mkdirSync(join(d.state, 'etc'), { recursive: true });
  const cli = join(d.state, 'etc', 'cli.json');
  writeFileSync(`${cli}.new`, await cliConfig(d, sources.authority, sources.nowMs), { mode: 0o600 });
  renameSync(`${cli}.new`, cli);
  writeTestStores(d, sources.secrets);
}

async function start(d: Deployment, containers: readonly Container[], root: string): Promise<void> {
  for (const container of containers) await prepareContainer(d, container, root);
  await supervise(
    d,
    containers.map((container) => container.name),
  );
  for (const { name } of containers) {
    if (await until(30_000, 50, () => runningInit(d, name) !== undefined)) continue;
    const logs = [join(d.state, 'log', 'host', `keep-${name}`, 'current'), join(d.state, 'log', name, 'init.log')];
    throw new Error(
      `the container ${name} does not start:\n${logs.map((log) => `${log}:\n${tailOf(log, 5)}`).join('\n')}`,
    );
  }
}

/** Lets running containers follow what is different now: their list of processes, configuration, our code. */
async function renew(d: Deployment, containers: readonly Container[]): Promise<void> {
  for (const container of containers) {
    const list = new Mark(d, container.name, 'processes');
    if (list.changed) await refresh(d, container.name);
    list.set();
    for (const process of staleProcesses(d, container)) {
      // The second process of a service follows when the first is back; if that takes too long, a later step says so.
      if (process.name.endsWith('-2'))
        await serviceHealthy(d, process.name.replace(/2$/, '1'), 60_000).catch(() => undefined);
      await restartProcess(d, container.name, process.name);
    }
  }
}
