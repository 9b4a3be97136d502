/** Whether the processes do their work, and what to show when one does not. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from './container.js';
import { controllerAddress, type Deployment } from './deployment.js';
import { SERVICES } from './layout.js';
import { until } from './waiting.js';

export class Unhealthy extends Error {}

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
};

/** Waits until every service process says that it is well; throws with the names and last words of those that do not. */
export async function servicesHealthy(d: Deployment, limitMs: number): Promise<void> {
  const waiting = new Set(SERVICES.map((s) => s.process));
  const done = await until(limitMs, 200, async () => {
    await Promise.all(
      SERVICES.filter((s) => waiting.has(s.process)).map(async (s) => {
        if (await answers(`http://${controllerAddress(d)}:${s.http}/healthz`)) waiting.delete(s.process);
      }),
    );
    return waiting.size === 0;
  });
  if (!done) throw new Unhealthy([...waiting].map((process) => lastWords(d, 'controller', process)).join('\n'));
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
