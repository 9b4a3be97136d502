/** Deleting an image that only stood for a server, once the server does not need it any more. */
import { defineFlow } from '#libs/platform/flow';
import { IMAGE_DISCARD, type ImageDiscardInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';

export const imageDiscardFlow = (deps: FlowDeps) =>
  defineFlow<ImageDiscardInput>({
    kind: IMAGE_DISCARD,
    cancellable: false,
    steps: [
      {
        name: 'discard',
        ensure: async ({ input: { imageId, owner } }) => {
          await deps.images.discard({ imageId, owner });
        },
      },
    ],
  });
