/** Waiting, with an end. */

/** True after the time, false as soon as the signal aborts. */
export function delayMs(ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve(true);
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Asks again every `everyMs` until the answer is true; false once `limitMs` have passed. */
export async function until(
  limitMs: number,
  everyMs: number,
  check: () => Promise<boolean> | boolean,
): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await check()) return true;
    if (performance.now() > end) return false;
    await delayMs(everyMs);
  }
}
