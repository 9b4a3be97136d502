/** The stock client as a user runs it: one process a command, with the cloud's own clouds.yaml. */
import { join } from 'node:path';
import { delay } from '#libs/kernel';
import { run } from '../runner/command.js';

export const STATE = process.env['YAGURA_STATE'] ?? join(process.cwd(), 'var');

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs `openstack ...` as that cloud's user; never throws. */
export function openstack(cloud: 'yagura-demo' | 'yagura-admin', ...parameters: string[]): Promise<Outcome> {
  const env = { OS_CLOUD: cloud, OS_CLIENT_CONFIG_FILE: join(STATE, 'clouds.yaml'), YAGURA_STATE: STATE };
  return run('deploy/bin/openstack', parameters, { env, timeoutMs: 180_000, quiet: true });
}

/** Runs it and parses `-f json`; throws with the client's own words when it fails. */
export async function show<T = Record<string, unknown>>(
  cloud: 'yagura-demo' | 'yagura-admin',
  ...parameters: string[]
): Promise<T> {
  const { code, output } = await openstack(cloud, ...parameters, '-f', 'json');
  if (code !== 0) throw new Error(`openstack ${parameters.join(' ')}: ${output}`);
  const start = output.search(/^[[{]/m);
  return JSON.parse(output.slice(start)) as T;
}

/** Runs it and expects success; for commands that print no JSON. */
export async function must(cloud: 'yagura-demo' | 'yagura-admin', ...parameters: string[]): Promise<string> {
  const { code, output } = await openstack(cloud, ...parameters);
  if (code !== 0) throw new Error(`openstack ${parameters.join(' ')}: ${output}`);
  return output;
}

/** The operator's command; `code` 1 is bad news, 2 wrong use. */
export function yagura(...parameters: string[]): Promise<Outcome> {
  return run('deploy/bin/yagura', parameters, { env: { YAGURA_STATE: STATE }, timeoutMs: 60_000, quiet: true });
}

/** The auditor's findings. */
export async function findings(): Promise<{ code: string; id: string; message: string }[]> {
  const { output } = await yagura('doctor', '-o', 'json');
  return (JSON.parse(output) as { findings: { code: string; id: string; message: string }[] }).findings;
}

/** Asks until the answer satisfies; throws with the last answer after the time limit. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  satisfies: (answer: T) => boolean,
  limitMs = 90_000,
  everyMs = 1_000,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (Date.now() > end)
      throw new Error(`${what}: not within ${limitMs / 1000} s; last: ${String(JSON.stringify(answer)).slice(-2000)}`);
    await delay(everyMs);
  }
}
