/**
 * Rebooting a server. The node has done it when it reports the wanted count of reboots; a soft one that the guest does not
 * follow becomes a hard one there.
 */
import { SERVER_REBOOT, type ServerRebootInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { powerFlow } from './power.js';

export const serverRebootFlow = (deps: FlowDeps) =>
  powerFlow<ServerRebootInput>(deps, {
    kind: SERVER_REBOOT,
    power: 'running',
    done: 'rebooted',
    back: (_server, power) => (power === 'running' ? 'rebootGivenUp' : 'broken'),
    limitMs: 5 * 60_000,
    failed: 'could not be rebooted',
  });
