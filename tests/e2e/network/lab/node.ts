/** Commands on a node of the cloud, and in a network namespace of it. Never through a shell with words of a test's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ran, run } from '../../../runner/command.js';
import { STATE } from '../../client.js';

/** Runs a command on the node; never throws. */
export const onNode = (node: string, command: readonly string[], timeoutMs = 20_000): Promise<Ran> =>
  run('deploy/bin/enter', [node, ...command], { env: { YAGURA_STATE: STATE }, timeoutMs, quiet: true });

/** Runs it and expects success. */
export async function mustOnNode(node: string, ...command: string[]): Promise<string> {
  const { code, output } = await onNode(node, command);
  if (code !== 0) throw new Error(`${node}: ${command.join(' ')}: ${output}`);
  return output;
}

/** A shell script of our own on the node, with parameters that it sees as $1, $2, ... */
export const scriptOnNode = (node: string, script: string, ...parameters: string[]): Promise<string> =>
  mustOnNode(node, 'sh', '-euc', script, 'lab', ...parameters);

/** A command on the node that stays, with pipes. */
export const startOnNode = (node: string, command: readonly string[]): ChildProcess =>
  spawn('deploy/bin/enter', [node, ...command], {
    env: { ...process.env, YAGURA_STATE: STATE },
    stdio: ['pipe', 'pipe', 'pipe'],
  });

/** Where this machine finds a network namespace of the node's. */
export function namespacePath(node: string, namespace: string): string {
  const init = readFileSync(join(STATE, 'run', `${node}.init.pid`), 'utf8').trim();
  return `/proc/${init}/root/run/netns/${namespace}`;
}

/** kill -9 of one process of the node; its supervisor brings it back. Returns when the new one runs. */
export const killOnNode = (node: string, process: string): Promise<string> =>
  scriptOnNode(
    node,
    `pid=$(cat "/run/yagura/pid/$1"); kill -9 "$pid"
n=0; while [ "$(cat "/run/yagura/pid/$1" 2>/dev/null || echo "$pid")" = "$pid" ]; do
  n=$((n + 1)); [ $n -lt 100 ]; sleep 0.1
done`,
    process,
  );

/** Has a whole container stand still, as a machine that hangs, while something is done. */
export async function frozen<T>(container: string, work: () => Promise<T>): Promise<T> {
  const id = `yagura-${createHash('sha256').update(STATE).digest('hex').slice(0, 6)}-${container}`;
  const runc = async (verb: string): Promise<void> => {
    const command = ['--root', join(STATE, 'run', 'runc'), verb, id];
    const { code, output } = await run('runc', command, { timeoutMs: 20_000, quiet: true });
    if (code !== 0) throw new Error(`${verb} ${container}: ${output}`);
  };
  await runc('pause');
  try {
    return await work();
  } finally {
    await runc('resume');
  }
}
