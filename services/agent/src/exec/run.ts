/** The one way the agent starts other programs: an argument array, never a shell, and always a time limit. */
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  /** Exit code; undefined when it was killed or could not be started. */
  readonly code: number | undefined;
  readonly stderr: string;

  constructor(command: string, code: number | undefined, stderr: string, cause: unknown) {
    super(
      `${command} failed${code === undefined ? '' : ` with ${code}`}: ${stderr.trim().slice(0, 500) || 'no output'}`,
      { cause },
    );
    this.code = code;
    this.stderr = stderr;
  }
}

export interface RunOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string;
}

export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<string>;

/** Resolves with standard output; rejects with CommandFailed, or with the signal's reason when it was aborted. */
export const run: Run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const settings = {
      timeout: options.timeoutMs ?? 20_000,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 16 << 20,
      signal: options.signal,
      cwd: options.cwd,
    };
    execFile(command, args, settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (options.signal?.aborted) return reject(options.signal.reason);
      reject(
        new CommandFailed(
          command,
          typeof error.code === 'number' ? error.code : undefined,
          stderr || error.message,
          error,
        ),
      );
    });
  });

export interface WatchOptions {
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Runs a program that goes on until it ends by itself or the signal stops it; resolves with why it ended. */
export type Watch = (command: string, args: readonly string[], options: WatchOptions) => Promise<string>;

/** What it says on either stream counts: ovs-ofctl tells news as complaints. */
export const watch: Watch = (command, args, { signal, onLine }) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
    let last = '';
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        last = line;
        onLine(line);
      });
    child.once('error', (error) => resolve(`${command}: ${error.message}`));
    child.once('close', (code) => resolve(`${command} ended (${code}): ${last.slice(0, 200)}`));
  });
