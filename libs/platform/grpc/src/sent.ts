/** Writing to a stream no faster than the other side reads. */
import type { EventEmitter } from 'node:events';

/** Resolves when the peer takes more, or has left. */
export function sent(call: { write(event: unknown): boolean } & EventEmitter, event: unknown): Promise<void> {
  if (call.write(event)) return Promise.resolve();
  return new Promise((resolve) => {
    for (const name of ['drain', 'close', 'error']) call.once(name, () => resolve());
  });
}
