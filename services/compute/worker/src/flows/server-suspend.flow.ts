/** A guest whose memory waits on its node's disk, and that goes on from there; it holds no memory meanwhile. */
import { SERVER_RESUME, SERVER_SUSPEND, type ServerPowerInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { powerFlow, standing } from './power.js';

/** As long as it takes to write a large memory to a slow disk. */
const LIMIT_MS = 30 * 60_000;

export const serverSuspendFlow = (deps: FlowDeps) =>
  powerFlow<ServerPowerInput>(deps, {
    kind: SERVER_SUSPEND,
    power: 'suspended',
    done: 'suspended',
    back: standing({ running: 'suspendGivenUp' }),
    limitMs: LIMIT_MS,
    failed: 'could not be suspended',
  });

export const serverResumeFlow = (deps: FlowDeps) =>
  powerFlow<ServerPowerInput>(deps, {
    kind: SERVER_RESUME,
    power: 'running',
    done: 'resumed',
    back: standing({ suspended: 'resumeGivenUp' }),
    limitMs: LIMIT_MS,
    failed: 'could not be resumed',
  });
