/** A guest that stands still in its node's memory, and goes on from there. */
import { SERVER_PAUSE, SERVER_UNPAUSE, type ServerPowerInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { powerFlow, standing } from './power.js';

const LIMIT_MS = 5 * 60_000;

export const serverPauseFlow = (deps: FlowDeps) =>
  powerFlow<ServerPowerInput>(deps, {
    kind: SERVER_PAUSE,
    power: 'paused',
    done: 'paused',
    back: standing({ running: 'pauseGivenUp' }),
    limitMs: LIMIT_MS,
    failed: 'could not be paused',
  });

export const serverUnpauseFlow = (deps: FlowDeps) =>
  powerFlow<ServerPowerInput>(deps, {
    kind: SERVER_UNPAUSE,
    power: 'running',
    done: 'unpaused',
    back: standing({ paused: 'unpauseGivenUp' }),
    limitMs: LIMIT_MS,
    failed: 'could not be unpaused',
  });
