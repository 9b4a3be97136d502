/**
 * After a restore from a backup the sequence of fences may stand below what nodes have seen, and they would refuse every
 * command. Their beats name the highest fence they hold; the sequence is kept above it.
 */
import type { Db } from '#libs/platform/db';
import { raiseFence } from '#libs/platform/flow';
import type { Log } from '#libs/platform/log';

/** No restore loses so many; a node that says so is broken, or lies. */
const PLAUSIBLE = 1_000_000_000;

export class FenceKeeper {
  /** The sequence is known to stand at least here. */
  #known = 0;

  constructor(
    private readonly db: Db,
    private readonly log: Log,
  ) {}

  async above(fence: number): Promise<void> {
    if (fence <= this.#known) return;
    const row = await this.db.one<{ last: number }>('select last_value as last from flow_fence');
    this.#known = row?.last ?? 0;
    if (fence <= this.#known) return;
    if (fence - this.#known > PLAUSIBLE) {
      this.log.error({ fence, known: this.#known }, 'a node names a fence that can not be');
      return;
    }
    this.log.warn({ fence, known: this.#known }, 'a node has seen a higher fence than the database: raising it');
    await raiseFence(this.db, fence);
    this.#known = fence;
  }
}
