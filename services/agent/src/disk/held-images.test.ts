import { expect, it, vi } from 'vitest';
import { computeV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import { HeldImages } from './held-images.js';

const SOURCE = computeV1.ImageSource.fromPartial({ imageId: 'i', sha256: 'a' });

it('fetches an image once, tells of a failure once, and begins anew after it', async () => {
  const here = new Set<string>();
  let download = Promise.withResolvers<void>();
  const fetch = vi.fn(async ({ imageId }: computeV1.ImageSource) => {
    await download.promise;
    here.add(imageId);
  });
  const held = new HeldImages({ fetch, has: async ({ imageId }) => here.has(imageId) });
  expect([await held.hold(SOURCE), await held.hold(SOURCE)]).toEqual([false, false]);
  expect(fetch).toHaveBeenCalledTimes(1);

  download.reject(fail.overQuota('the node has no room'));
  await expect.poll(() => held.hold(SOURCE).catch((error: Error) => error.message)).toBe('the node has no room');
  download = Promise.withResolvers();
  expect(await held.hold(SOURCE)).toBe(false);
  download.resolve();
  await expect.poll(() => held.hold(SOURCE)).toBe(true);
  expect(fetch).toHaveBeenCalledTimes(2);
});

it('ends what is under way with the agent', async () => {
  let seen: AbortSignal | undefined;
  const held = new HeldImages({
    fetch: async (_source, signal) => {
      seen = signal;
    },
    has: async () => false,
  });
  await held.hold(SOURCE);
  held.stop();
  expect(seen?.aborted).toBe(true);
});
