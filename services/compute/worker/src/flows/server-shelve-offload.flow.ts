/** Taking a shelved server off its node because somebody asked for it, or because it has lain there long enough. */
import { defineFlow } from '#libs/platform/flow';
import { SERVER_SHELVE_OFFLOAD, type ServerOffloadInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { offloadSteps } from './offload.js';

export const serverShelveOffloadFlow = (deps: FlowDeps) =>
  defineFlow<ServerOffloadInput>({
    kind: SERVER_SHELVE_OFFLOAD,
    exhausted: 'undo',
    steps: offloadSteps<ServerOffloadInput>(deps, { begin: false }),
  });
