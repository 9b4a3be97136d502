/** A server's disk as an image, while the guest goes on. The image outlives whatever becomes of the server once it is whole. */
import { defineFlow } from '#libs/platform/flow';
import { SERVER_CREATE_IMAGE, type ServerImageInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { asItIs, exportSteps, settleImaged } from './export.js';

export const serverCreateImageFlow = (deps: FlowDeps) =>
  defineFlow<ServerImageInput>({
    kind: SERVER_CREATE_IMAGE,
    exhausted: 'undo',
    steps: [
      ...exportSteps<ServerImageInput>(deps, {
        power: asItIs,
        back: 'imageGivenUp',
        keptAfter: 'export',
        failed: 'could not be made into an image',
      }),
      { name: 'settle', tx: (tx, ctx) => settleImaged(deps, tx, ctx) },
    ],
  });
