/** Whether the processes do their work, and what to show when one does not. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from './container.js';
import { execIn } from './containers.js';
import { CONTROLLER_HOST, controllerAddress, type Deployment, managementAddress, nodeNames } from './deployment.js';
import { SERVED, SIMULATED } from './layout.js';
import { AGENT_HTTP, EXTERNAL_NETWORK, SIMULATED_HTTP } from './service-config.js';
import { until } from './waiting.js';

export class Unhealthy extends Error {}

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
};

interface Target {
  readonly container: string;
  readonly process: string;
  readonly url: string;
}

/** Waits until each says that it is well; throws with the names and last words of those that do not. */
async function healthy(d: Deployment, targets: readonly Target[], limitMs: number): Promise<void> {
  const waiting = new Set(targets);
  const ask = async (target: Target): Promise<void> => {
    if (await answers(target.url)) waiting.delete(target);
  };
  const done = await until(limitMs, 200, async () => {
    await Promise.all([...waiting].map(ask));
    return waiting.size === 0;
  });
  if (!done) throw new Unhealthy([...waiting].map((t) => lastWords(d, t.container, t.process)).join('\n'));
}

const serviceTargets = (d: Deployment): Target[] =>
  SERVED.map(({ process, http }) => ({
    container: 'controller',
    process,
    url: `http://${controllerAddress(d)}:${http}/healthz`,
  }));

export const servicesHealthy = (d: Deployment, limitMs: number): Promise<void> =>
  healthy(d, serviceTargets(d), limitMs);

export const serviceHealthy = (d: Deployment, process: string, limitMs: number): Promise<void> =>
  healthy(
    d,
    serviceTargets(d).filter((target) => target.process === process),
    limitMs,
  );

/** The agents, real and simulated, whose health is that of their hypervisor. */
export function nodesHealthy(d: Deployment, limitMs: number): Promise<void> {
  const real = nodeNames(d).map((container, i) => ({
    container,
    process: 'agent',
    url: `http://${managementAddress(d, CONTROLLER_HOST + 1 + i)}:${AGENT_HTTP}/healthz`,
  }));
  const url = `http://${controllerAddress(d)}:${SIMULATED_HTTP}/healthz`;
  const simulated = d.simulated > 0 ? [{ container: 'controller', process: SIMULATED, url }] : [];
  return healthy(d, [...real, ...simulated], limitMs);
}

/** Waits until OVN knows each node as one that can be a gateway to the external network. */
export async function gatewaysReady(d: Deployment, limitMs: number): Promise<void> {
  const mapping = `other_config:ovn-bridge-mappings="${EXTERNAL_NETWORK}:br-ex"`;
  const ask = ['ovn-sbctl', '--timeout=5', '--bare', '--columns=name', 'find', 'chassis', mapping];
  let missing: readonly string[] = nodeNames(d);
  const done = await until(limitMs, 200, async () => {
    const ready = (await execIn(d, 'controller', ask).catch(() => '')).split('\n');
    missing = missing.filter((name) => !ready.includes(name));
    return missing.length === 0;
  });
  if (!done) throw new Unhealthy(missing.map((name) => lastWords(d, name, 'ovn-controller')).join('\n'));
}

/** The origin as this machine reaches it, whatever its public name is. */
export const originOf = (d: Deployment): string => `http://${d.bind === '0.0.0.0' ? '127.0.0.1' : d.bind}:${d.port}`;

/** Waits until the origin answers for identity. */
export async function originAnswers(d: Deployment, limitMs: number): Promise<void> {
  if (!(await until(limitMs, 200, () => answers(`${originOf(d)}/identity/v3`))))
    throw new Unhealthy(lastWords(d, 'edge', 'haproxy'));
}

/** Waits until each process of the container has a live pid; a process that keeps dying does not pass. */
export async function processesRun(d: Deployment, container: Container, limitMs: number): Promise<void> {
  const alive = (process: string): boolean => {
    const file = join(d.state, 'run', `${container.name}.${process}.pid`);
    return existsSync(file) && existsSync(`/proc/${readFileSync(file, 'utf8').trim()}`);
  };
  const missing = (): string[] => container.processes.map(({ name }) => name).filter((name) => !alive(name));
  if (!(await until(limitMs, 100, () => missing().length === 0)))
    throw new Unhealthy(
      missing()
        .map((process) => lastWords(d, container.name, process))
        .join('\n'),
    );
}

/** The last lines of a log, indented for a message. */
export function tailOf(log: string, count: number): string {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-count) : ['(there is none)'];
  return lines.map((line) => `    ${line.slice(0, 400)}`).join('\n');
}

export function lastWords(d: Deployment, container: string, process: string): string {
  const log = join(d.state, 'log', `${container}.${process}.log`);
  return `${process} in ${container} is not healthy; the end of ${log}:\n${tailOf(log, 8)}`;
}
