/** Drops revocations that can concern no token any more. */
import { delay } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Tokens } from '#services/identity/data';

const EVERY_MS = 3_600_000;

/** Starts; returns what stops it. Every process may run it. */
export function startPruner(tokens: Tokens, log: Log): () => void {
  const stopped = new AbortController();
  void run(tokens, log, stopped.signal);
  return () => stopped.abort();
}

async function run(tokens: Tokens, log: Log, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    try {
      const pruned = await tokens.prune();
      if (pruned) log.info({ pruned }, 'old revocations dropped');
    } catch (error) {
      log.warn({ err: error }, 'old revocations could not be dropped');
    }
    await delay(EVERY_MS, stopped);
  }
}
