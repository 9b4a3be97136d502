/** Starting a server that is shut off, or one whose node came back without it. */
import { SERVER_START, type ServerStartInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { powerFlow } from './power.js';

export const serverStartFlow = (deps: FlowDeps) =>
  powerFlow<ServerStartInput>(deps, {
    kind: SERVER_START,
    power: 'running',
    done: ({ keepsState = false }) => (keepsState ? 'revived' : 'started'),
    back: (server, power) => (server.vmState === 'stopped' && power !== 'running' ? 'startGivenUp' : 'broken'),
    limitMs: 5 * 60_000,
    failed: 'could not be started',
  });
