/** A non-maskable interrupt, which a guest that is set up so answers with a dump of its memory. Sent once, or not at all. */
import { SERVER_TRIGGER_CRASH_DUMP } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { errandFlow } from './errand.js';

export const serverTriggerCrashDumpFlow = (deps: FlowDeps) =>
  errandFlow(deps, {
    kind: SERVER_TRIGGER_CRASH_DUMP,
    errand: 'interrupt',
    failed: (_serverId, why) => `The crash dump could not be triggered: ${why}`,
    limitMs: 2 * 60_000,
  });
