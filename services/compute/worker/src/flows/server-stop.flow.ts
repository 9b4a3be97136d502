/** Stopping a server: the node asks the guest to shut down, and after a while does not ask any more. */
import { SERVER_STOP, type ServerPowerInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { powerFlow } from './power.js';

export const serverStopFlow = (deps: FlowDeps) =>
  powerFlow<ServerPowerInput>(deps, {
    kind: SERVER_STOP,
    power: 'stopped',
    done: 'stopped',
    back: (_server, power) => (power === 'running' ? 'stopGivenUp' : 'broken'),
    limitMs: 5 * 60_000,
    failed: 'could not be stopped',
  });
