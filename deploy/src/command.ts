/** Running other programs: argument lists only, never a shell line, and errors that say what failed and why. */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';

export class CommandError extends Error {
  constructor(
    readonly argv: readonly string[],
    readonly status: number | null,
    readonly stderr: string,
  ) {
    super(
      `${argv.slice(0, 6).join(' ')} failed (${status ?? 'killed'}): ${stderr.trim().split('\n').slice(-6).join('\n') || 'no message'}`,
    );
  }
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A file that receives both outputs instead of us. */
  readonly log?: string;
}

/** Runs a program to its end and gives its standard output. Throws a CommandError unless it exits with 0. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [file, ...args] = argv as [string, ...string[]];
  const sink = options.log ? openSync(options.log, 'a', 0o640) : 'pipe';
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', sink, sink],
      env: options.env ?? process.env,
      ...(options.cwd ? { cwd: options.cwd } : {}),
      ...(options.timeoutMs ? { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const } : {}),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    child.on('error', (cause) => reject(new CommandError(argv, null, cause.message)));
    child.on('close', (status) => {
      const text = Buffer.concat(out).toString();
      if (status === 0) resolve(text);
      else reject(new CommandError(argv, status, options.log ? `see ${options.log}` : `${text}${Buffer.concat(err)}`));
    });
  });
}

/** Whether the program exits with 0. */
export const succeeds = (argv: readonly string[], options: RunOptions = {}): Promise<boolean> =>
  run(argv, options).then(
    () => true,
    () => false,
  );
