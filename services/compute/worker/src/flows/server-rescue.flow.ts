/**
 * Rescuing a server: its guest boots from another disk, with its own beside it, and goes back to its own untouched. What a
 * failed rescue leaves is a server in ERROR whose next start is from its own disk.
 */
import {
  SERVER_RESCUE,
  SERVER_UNRESCUE,
  type ServerPowerInput,
  type ServerRescueInput,
} from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { powerFlow } from './power.js';

export const serverRescueFlow = (deps: FlowDeps) =>
  powerFlow<ServerRescueInput>(deps, {
    kind: SERVER_RESCUE,
    power: 'running',
    aimed: ({ rescue }) => ({ rescue }),
    done: 'rescued',
    settled: ({ rescue }) => ({ rescue: { ...rescue, made: true }, forgetBootSecrets: true }),
    back: () => 'broken',
    limitMs: 15 * 60_000,
    failed: 'could not be rescued',
  });

export const serverUnrescueFlow = (deps: FlowDeps) =>
  powerFlow<ServerPowerInput>(deps, {
    kind: SERVER_UNRESCUE,
    power: 'running',
    done: 'unrescued',
    settled: () => ({ rescue: null }),
    back: () => 'broken',
    limitMs: 5 * 60_000,
    failed: 'could not be started from its own disk',
  });
