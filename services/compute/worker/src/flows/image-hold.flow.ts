/**
 * Having a node fetch an image ahead of time. The node downloads in the background and is asked until it has it. Nothing
 * depends on it: a node that is down, or an image that is gone, ends it, and a server that comes later fetches for itself.
 */
import { isFailure } from '#libs/kernel';
import { defineFlow, NotYet, Permanent } from '#libs/platform/flow';
import { IMAGE_HOLD, type ImageHoldInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { orFinal } from './final.js';

const LIMIT_MS = 3_600_000;
const ASK_MS = 10_000;
const LOOK_MS = 1_000;

export const imageHoldFlow = (deps: FlowDeps) =>
  defineFlow<ImageHoldInput>({
    kind: IMAGE_HOLD,
    exhausted: 'undo',
    steps: [
      {
        name: 'hold',
        deadlineMs: LIMIT_MS,
        ensure: async ({ input }) => {
          if (!(await isHeld(deps, input))) throw new NotYet(LOOK_MS);
        },
      },
    ],
  });

async function isHeld(
  { db, nodeBook, images, agentOf }: FlowDeps,
  { imageId, node }: ImageHoldInput,
): Promise<boolean> {
  const row = await nodeBook.find(db, node);
  if (row?.state !== 'up') throw new Permanent(`Node ${node} is not up.`, { kind: 'unavailable' });
  const { url, sha256, size, diskFormat } = await orFinal(images.locate({ imageId, node }));
  const asked = agentOf(row).holdImage({ node, imageId, url, sha256, size, diskFormat }, { deadlineMs: ASK_MS });
  return (await orFinal(asked.catch(unlessOld))).held;
}

/** An agent of an older build knows of no such thing. */
function unlessOld(error: unknown): never {
  if (isFailure(error, 'notImplemented')) throw new Permanent('The node can not be asked.', { kind: 'notImplemented' });
  throw error;
}
