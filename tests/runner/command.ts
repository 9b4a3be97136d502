/** Runs a command with its output shown and kept; never through a shell. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export interface Ran {
  readonly code: number;
  readonly output: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until the whole process group is killed. */
  readonly timeoutMs: number;
  /** File that keeps the output. */
  readonly log?: string;
  readonly quiet?: boolean;
}

const KEPT = 4_000_000;

export function run(command: string, parameters: readonly string[], options: RunOptions): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, {
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const file = options.log ? createWriteStream(options.log) : undefined;
    let output = '';
    const take = (chunk: Buffer) => {
      file?.write(chunk);
      if (!options.quiet) process.stdout.write(chunk);
      if (output.length < KEPT) output += chunk.toString('utf8');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => {
      output += `\ntimed out after ${options.timeoutMs / 1000} s\n`;
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    }, options.timeoutMs);
    child.on('error', (error) => {
      output += `\n${error.message}\n`;
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      file?.end();
      resolve({ code: code ?? 1, output });
    });
  });
}
