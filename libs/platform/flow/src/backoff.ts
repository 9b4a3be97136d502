/** Retry delays: doubling, capped, and spread so that tasks that failed together do not come back together. */

const BASE_MS = 200;
const CAP_MS = 10_000;
const STUCK_MS = 60_000;
const STUCK_CAP_MS = 600_000;

/** Milliseconds to wait after that many failures in a row; `random` is in [0, 1). */
export function backoffMs(attempt: number, random: number): number {
  return spread(Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt - 1, 16)), random);
}

/** Milliseconds until a stuck task is tried again; `beyond` counts the failures since it got stuck first. */
export function stuckRetryMs(beyond: number, random: number): number {
  return spread(Math.min(STUCK_CAP_MS, STUCK_MS * 2 ** Math.min(beyond, 8)), random);
}

const spread = (ms: number, random: number): number => Math.round(ms * (0.5 + random / 2));
