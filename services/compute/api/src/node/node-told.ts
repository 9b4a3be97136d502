/**
 * An operator who has closed a node, or moved it into a zone, counts on it: the next server must not go by what was before.
 * So such a change answers once placement has heard of it. Where that takes too long it answers all the same; placement hears
 * of it as soon as it can be reached.
 */
import { delay } from '#libs/kernel';
import type { Books, Surroundings } from '../books.js';

const LOOK_EVERY_MS = 15;

export async function untilTold({ db, nodes }: Books, around: Surroundings, names: readonly string[]): Promise<void> {
  const begun = performance.now();
  while (performance.now() - begun < around.patienceMs) {
    if (await nodes.areTold(db, names)) return;
    await delay(LOOK_EVERY_MS);
  }
}
