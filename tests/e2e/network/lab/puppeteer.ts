/** The test's end of a puppet: starts it in a network namespace and speaks with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Requests } from './puppet-requests.js';

const PROGRAM = fileURLToPath(new URL('./puppet.ts', import.meta.url));

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Puppeteer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #complaint = '';

  constructor(namespace: string) {
    this.#child = spawn(
      'nsenter',
      [`--net=${namespace}`, process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#hear(line));
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#complaint = `${this.#complaint}${chunk.toString()}`.slice(-1_000);
    });
    this.#child.stdin!.on('error', () => undefined);
    this.#child.once('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the puppet is gone: ${this.#complaint}`));
      this.#waiting.clear();
    });
  }

  /** A puppet of the machine, which is outside of the cloud. */
  static onMachine(): Puppeteer {
    return new Puppeteer('/proc/self/ns/net');
  }

  ask<K extends keyof Requests>(what: K, input: Requests[K][0]): Promise<Requests[K][1]> {
    const id = this.#next++;
    return new Promise<Requests[K][1]>((resolve, reject) => {
      if (this.#child.exitCode !== null) return reject(new Error(`the puppet is gone: ${this.#complaint}`));
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#child.stdin!.write(`${JSON.stringify({ id, what, input })}\n`);
    });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin!.end();
    await gone;
  }

  #hear(line: string): void {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error));
  }
}
