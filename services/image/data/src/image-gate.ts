/**
 * Runs the gate's program on the bytes of one upload: a child process without network, without root, with little memory,
 * CPU and time, without a JIT compiler, and with nothing to read but the file it is given. Whatever it does other than
 * say yes is a no (security class 1 and 3).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '#libs/kernel';

export interface GateOptions {
  /** The compiled program. */
  readonly program: string;
  /** The largest disk that is accepted, in bytes. */
  readonly maxVirtual: number;
  readonly wallMs?: number;
  /** Judged at a time; more wait. */
  readonly atOnce?: number;
}

export interface Judgement {
  readonly format: string;
  readonly virtualSize: number;
}

const MEMORY = 160 << 20;
const CPU_SECONDS = 10;
const MAX_OUTPUT = 4_096;

const NO_NETWORK = ['unshare', '--net', '--ipc', '--uts', '--'];
/** The same where this process is not root: in a user namespace of its own. */
const OWN_NAMESPACE = ['unshare', '--user', '--net', '--ipc', '--uts', '--'];
const LIMITS = [
  'prlimit',
  `--cpu=${CPU_SECONDS}`,
  `--data=${MEMORY}`,
  '--fsize=0',
  '--core=0',
  '--nofile=64',
  '--memlock=0',
  '--',
];
const NO_PRIVILEGES = ['setpriv', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all,+setuid,+setgid', '--'];
const NO_NEW_PRIVILEGES = ['setpriv', '--no-new-privs', '--'];

/** From the strictest to what any Linux allows; the first that works here is used, and shown to the operator. */
const CONFINEMENTS = [
  { name: 'no network, limits, no privileges', wrap: [...NO_NETWORK, ...LIMITS, ...NO_PRIVILEGES] },
  { name: 'own namespace without network, limits', wrap: [...OWN_NAMESPACE, ...LIMITS, ...NO_NEW_PRIVILEGES] },
  { name: 'limits, no privileges', wrap: [...LIMITS, ...NO_PRIVILEGES] },
  { name: 'limits, no new privileges', wrap: [...LIMITS, ...NO_NEW_PRIVILEGES] },
  { name: 'limits', wrap: LIMITS },
] as const;

export class Gate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  private constructor(
    private readonly options: GateOptions,
    private readonly wrap: readonly string[],
    /** What holds the program here, in words. */
    readonly confinement: string,
  ) {}

  /** Finds the strictest confinement that works on this machine. Throws where none does. */
  static async open(options: GateOptions): Promise<Gate> {
    const failures: string[] = [];
    for (const { name, wrap } of CONFINEMENTS) {
      const gate = new Gate(options, wrap, name);
      const outcome = await gate.probe();
      if (outcome === undefined) return gate;
      failures.push(`${name}: ${outcome}`);
    }
    throw new Error(`the image gate does not run here: ${failures.join('; ')}`);
  }

  /** The program judges itself, which is text, as a raw disk. */
  private async probe(): Promise<string | undefined> {
    const file = await open(this.options.program, 'r');
    try {
      const result = await this.run(file.fd, 'raw');
      return result.verdict?.ok ? undefined : result.trouble;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await file.close();
    }
  }

  /** Judges the open file as the declared format. Throws `unsupportedMedia` with the reason for a refusal. */
  async judge(fd: number, declared: string): Promise<Judgement> {
    await this.enter();
    try {
      let { verdict, trouble } = await this.run(fd, declared);
      // Without a word it may have met a machine short of memory or processes; what the image does to it, it does again.
      if (!verdict) ({ verdict, trouble } = await this.run(fd, declared));
      if (verdict?.ok) return { format: verdict.format, virtualSize: verdict.virtualSize };
      const reason = verdict ? verdict.reason : 'The image data could not be examined within the limits.';
      throw fail.unsupportedMedia(reason, { cause: trouble });
    } finally {
      this.leave();
    }
  }

  private run(fd: number, declared: string): Promise<Outcome> {
    const { program, maxVirtual, wallMs = 30_000 } = this.options;
    const node = [
      process.execPath,
      '--jitless',
      '--max-old-space-size=32',
      '--permission',
      `--allow-fs-read=${dirname(program)}`,
      program,
    ];
    const [file, ...args] = [...this.wrap, ...node, declared, String(maxVirtual)];
    const child = spawn(file!, args, { cwd: '/', env: PATH_ONLY, stdio: [fd, 'pipe', 'pipe'] });
    return outcomeOf(child, wallMs);
  }

  private async enter(): Promise<void> {
    if (this.#running >= (this.options.atOnce ?? 2)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
  }

  private leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}

const PATH_ONLY = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

type Verdict =
  | { readonly ok: true; readonly format: string; readonly virtualSize: number }
  | { readonly ok: false; readonly reason: string };

interface Outcome {
  readonly verdict?: Verdict;
  /** Private: how the program ended when it said nothing of use. */
  readonly trouble: string;
}

/** Waits for the child, kills it when its time is over, and reads no more than a verdict needs. */
function outcomeOf(child: ChildProcess, wallMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const texts = { stdout: '', stderr: '' };
    const timer = setTimeout(() => child.kill('SIGKILL'), wallMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8');
      child[name]?.on('data', (text: string) => {
        if (texts[name].length + text.length > MAX_OUTPUT) child.kill('SIGKILL');
        else texts[name] += text;
      });
    }
    child.once('error', (error) => finish(`not started: ${error.message}`));
    child.once('close', (code, signal) => finish(`ended with ${signal ?? code}: ${texts.stderr}`, code === 0));
    function finish(trouble: string, clean = false): void {
      clearTimeout(timer);
      const verdict = clean ? readVerdict(texts.stdout) : undefined;
      resolve(verdict ? { verdict, trouble } : { trouble });
    }
  });
}

function readVerdict(text: string): Verdict | undefined {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const { ok, format, virtualSize, reason } = value;
    if (ok === true && typeof format === 'string' && Number.isSafeInteger(virtualSize))
      return { ok, format, virtualSize: virtualSize as number };
    if (ok === false && typeof reason === 'string') return { ok, reason };
  } catch {
    return undefined;
  }
  return undefined;
}
