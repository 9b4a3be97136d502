/** What the operator sees while `up` and `down` work: one line per step with its time, and at the end what to do. */
import { delayMs } from './waiting.js';

export interface Progress {
  step<T>(what: string, work: () => Promise<T>): Promise<T>;
  say(line: string): void;
  readonly elapsedS: number;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export function startProgress(startedMs: number, now: () => number, write: (text: string) => void): Progress {
  return {
    get elapsedS() {
      return (now() - startedMs) / 1000;
    },
    say: (line) => write(`${line}\n`),
    async step(what, work) {
      const from = now();
      const still = new AbortController();
      void remind(what, from, now, write, still.signal);
      try {
        const result = await work();
        write(`[${seconds(now() - startedMs).padStart(7)}] ${what} (${seconds(now() - from)})\n`);
        return result;
      } catch (error) {
        write(`[${seconds(now() - startedMs).padStart(7)}] ${what}: FAILED after ${seconds(now() - from)}\n`);
        throw error;
      } finally {
        still.abort();
      }
    },
  };
}

async function remind(
  what: string,
  from: number,
  now: () => number,
  write: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  while (await delayMs(15_000, signal)) write(`           … ${what}, ${seconds(now() - from)} so far\n`);
}
