/** Nodes that fetch images ahead of time. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fail } from '#libs/kernel';
import { taskHistory } from '#libs/platform/flow';
import { IMAGE_HOLD } from '#services/compute/domain';
import type { FakeNode } from '../testbed/fake-node.fixture.js';
import { Testbed } from '../testbed/testbed.fixture.js';

let bed: Testbed;
let node: FakeNode;
beforeEach(async () => {
  bed = await Testbed.open();
  node = await bed.node('node-1');
  await bed.run();
});
afterEach(() => bed.close());

async function hold(imageId: string): Promise<{ state: string; failure: string | null }> {
  const key = `image/${imageId}/node-1`;
  await bed.insert({ id: randomUUID(), kind: IMAGE_HOLD, key, input: { imageId, node: 'node-1' } });
  const last = async () => (await taskHistory(bed.db, { key })).at(-1)!;
  await bed.until(async () => !['running', 'queued'].includes((await last()).state));
  const { state, failure } = await last();
  return { state, failure };
}

it('ask until the image is there, and need not ask twice for one that is', async () => {
  const imageId = randomUUID();
  for (const _ of [1, 2]) expect(await hold(imageId)).toEqual({ state: 'done', failure: null });
  expect([...node.images]).toEqual([imageId]);
});

it('give up where the node has no room, where it is down, and where the image is gone', async () => {
  node.imageFailure = fail.overQuota('the node has no room for the image');
  expect(await hold(randomUUID())).toEqual({ state: 'undone', failure: 'the node has no room for the image' });
  node.imageFailure = undefined;
  bed.images.gone = true;
  expect(await hold(randomUUID())).toEqual({ state: 'undone', failure: 'no such image' });
  await bed.db.exec(`update node set state = 'down'`);
  expect(await hold(randomUUID())).toEqual({ state: 'undone', failure: 'Node node-1 is not up.' });
});
